import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteadError } from '../../protocol/errors.ts';
import type { Mistake } from './document.ts';
import { readConfig } from './read-config.ts';

const read = (text: string) => readConfig(text, 'x.yaml');

function mistakes(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof SteadError)) throw error;
    return (error.details!.mistakes as Mistake[]).map(({ line, text: what }) => `${line}: ${what}`);
  }
  return [];
}

test('a file with all kinds of apps, in YAML', () => {
  const apps = read(`
defaults: { restart: on-failure, env: { A: 1 } }
groups:
  web: { stop_timeout: 3s }
apps:
  - name: api
    group: web
    script: server.js
    args: [--port, 80]
    env: { B: "two words", A: 2 }
    depends_on: { db: started }
    stop_exit_codes: [0, 77, TERM]
    max_memory: 200M
    umask: "027"
    on: { fail: echo failed }
  - { name: nightly, job: true, command: ./backup.sh, cron: "0 3 * * *", slots: 2 }
  - command: [python3, -m, http.server]
    autostart: false
`);
  assert.deepEqual(apps[0], {
    kind: 'app',
    script: 'server.js',
    command: [],
    args: ['--port', '80'],
    options: {
      restart: 'on-failure',
      env: ['A=1', 'B=two words', 'A=2'],
      stopTimeoutMs: 3000,
      name: 'api',
      group: 'web',
      dependsOn: ['db:started'],
      stopExitCodes: ['0', '77', 'TERM'],
      maxMemory: 200 * 1024 * 1024,
      umask: 0o27,
      on: ['fail=echo failed'],
    },
  });
  assert.deepEqual([apps[1]!.kind, apps[1]!.command, apps[1]!.options.slots], ['job', ['./backup.sh'], 2]);
  assert.deepEqual([apps[2]!.command, apps[2]!.options.autostart], [['python3', '-m', 'http.server'], false]);
});

test('sockets as a port, a text, a map, and several of them', () => {
  const listenOf = (value: string) => read(`apps: [{ name: a, script: x, listen: ${value} }]`)[0]!.options.listen;
  assert.deepEqual(listenOf('5000'), ['5000']);
  assert.deepEqual(listenOf('{ port: 80 }'), ['80']);
  assert.deepEqual(
    listenOf(
      '[5000, "unix:/run/x.sock", {port: 8080, host: 127.0.0.1, name: http, udp: true}, {path: y.sock, name: c}, {port: 1, host: "::1"}]',
    ),
    ['5000', 'unix:/run/x.sock', 'http=udp:127.0.0.1:8080', 'c=unix:y.sock', '[::1]:1'],
  );
  const { options } = read('apps: [{ name: a, script: x, instances: -1, idle_timeout: 5m }]')[0]!;
  assert.deepEqual([options.instances, options.idleTimeoutMs], ['-1', 300_000]);
  for (const [value, wrong] of [
    ['{ host: ::1 }', /either "port" or "path"/],
    ['{ port: 1, path: x }', /either "port" or "path"/],
    ['{ prot: 80 }', /there is no "prot"; did you mean "port"\?/],
    ['{ path: x, udp: true }', /are for ports/],
    ['{ port: 80, udp: yes }', /"udp" is true or false/],
    ['[[80]]', /nothing nested/],
    ['{ port: 0 }', /port 0 .*choose one/],
    ['localhost:80', /127\.0\.0\.1:80/],
  ] as const)
    assert.match(mistakes(`apps: [{ name: a, script: x, listen: ${value} }]`)[0] ?? '', wrong, value);
  assert.match(
    mistakes('apps: [{ job: true, name: a, command: x, instances: 2 }]')[0]!,
    /"instances" is for apps only/,
  );
});

test('JSON is read as well, and a map by name', () => {
  const [app] = read('{\n\t"apps": {\n\t\t"web": { "script": "a.js", "ready": "port:80" }\n\t}\n}');
  assert.deepEqual([app!.options.name, app!.options.ready], ['web', 'port:80']);
});

test('every mistake is listed, with its line and the nearest key', () => {
  const text = `apps:
  - name: api
    scirpt: a.js
    restart: sometimes
    stop_timeout: 10
    env: [x]
  - script: b.js
    command: c
    slots: 2
  - 5
  - { name: api, script: d.js, ready: "port:0", umask: 027 }
grups: {}
`;
  const all = mistakes(text);
  for (const expected of [
    /^3: there is no "scirpt"; did you mean "script"\?$/,
    /^4: "restart" takes one of always, on-failure, no/,
    /^5: "stop_timeout" needs a unit/,
    /^6: "env" takes a map, or a list of NAME=value$/,
    /^2: "api" needs either "script" or "command"$/,
    /^7: app 2 needs either "script" or "command"$/,
    /^9: "slots" is for jobs \(job: true\) only$/,
    /^10: an app must be a map$/,
    /^11: "ready" takes port:N/,
    /^11: "umask" takes an octal number as a text/,
    /^12: there is no "grups"; did you mean "groups"\?$/,
  ])
    assert.ok(
      all.some((line) => expected.test(line)),
      `${expected} in\n${all.join('\n')}`,
    );
});

test('what is no such file at all is refused in words', () => {
  for (const text of ['', 'x', '[]', '{', 'apps: 5', 'apps:\n - a: b: c', 'apps: []\napps: []', '\0', '\t- x'])
    assert.ok(mistakes(text).length > 0 || text === 'apps: []', JSON.stringify(text));
  assert.match(mistakes('apps: [{name: a, script: x}, {name: a, script: y}]')[0]!, /a second app is called "a"/);
});

test('bombs: aliases, depth and size are refused in time and in little memory', () => {
  const laughs = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghij'.split('').map((name, at) => {
      const before = 'abcdefghi'[at];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
    'apps: *j',
  ].join('\n');
  const bombs = [
    laughs,
    `apps: ${'['.repeat(200)}${']'.repeat(200)}`,
    `apps: ${'{a: '.repeat(3000)}`,
    `apps: [${'x,'.repeat(3_000_000)}]`,
  ];
  for (const bomb of bombs) {
    const began = performance.now();
    assert.ok(mistakes(bomb).length > 0);
    assert.ok(performance.now() - began < 5000);
  }
});

test('a key named like something of Object is a key like any other', () => {
  assert.match(mistakes('__proto__: {polluted: 1}\napps: []')[0] ?? '', /there is no "__proto__"/);
  assert.match(mistakes('apps: [{script: a, constructor: 1}]')[0]!, /there is no "constructor"/);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('whatever the text: apps or a SteadError', () => {
  const pieces = fc.constantFrom(
    'apps:',
    '- ',
    'name: a',
    '\n',
    '  ',
    'script: x',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    ':',
    '"',
    "'",
    '#',
    '!!js',
    '<<: *a',
    '|',
    '>',
    '? ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      mistakes(parts.join(''));
    }),
    { numRuns: 500 },
  );
});

test('JSON that says a key twice, is too deep or has a mistake is told as YAML is, with lines', () => {
  const messageOf = (text: string) => {
    try {
      readConfig(text, 'x');
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(
    messageOf('{"apps": {\n"a": {"script": "x"},\n"a": {"script": "y"}}}'),
    /line 3: Map keys must be unique/,
  );
  assert.match(messageOf(`{"apps": ${'['.repeat(30)}${']'.repeat(30)}}`), /it is nested too deeply/);
  assert.match(messageOf('{"apps": [\n{"script": "x",\n"scrpt": "\\"{:"}]}'), /line 3: there is no "scrpt"/);
  assert.equal(
    messageOf('{"apps": [{"script": "\\": \\"", "args": ["a", ":"], "env": {"a": "1", "b": "{\\"a\\": 1}"}}]}'),
    '',
  );
});

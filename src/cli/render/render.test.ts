import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderApps } from './apps.ts';
import { painter } from './colour.ts';
import { renderDetail } from './detail.ts';
import { makeApp, makeDetail } from './fixtures.ts';
import { earlyLines, shellCode } from './started.ts';
import { longDuration, shortDuration, shortPercent, shortSize } from './units.ts';

const paint = (text: string) => text;
const nowMs = Date.parse('2026-01-31T12:05:00.000Z');

test('list has one row per app, reasons for what is not well, and a line that sums up', () => {
  const apps = [
    makeApp({ ports: ['5000', '127.0.0.1:80'] }, [{}, { index: 1, pid: 813, restarts: 2 }]),
    makeApp({ id: 1, name: 'worker', state: 'backoff', reason: 'exit code 3, restarts in 4 s' }, [
      { state: 'backoff', pid: null, restarts: 12, memory: null, cpu: null },
    ]),
    makeApp({ id: 2, name: 'old', state: 'stopped', want: 'stopped', reason: 'stopped by stead stop' }, [
      { state: 'stopped', pid: null, memory: null, cpu: null },
    ]),
  ];
  assert.deepEqual(renderApps(apps, { paint, nowMs }), [
    'id  name    state    up  restarts   cpu  memory  ports',
    ' 0  web ×2  running  5m         2  0.8%   90.4M  5000,127.0.0.1:80',
    ' 1  worker  backoff   -        12     -       -  -',
    ' 2  old     stopped   -         0     -       -  -',
    '',
    'worker: backoff: exit code 3, restarts in 4 s',
    '',
    '3 apps, 1 failing: stead show worker',
  ]);
});

test('list -i has one row per instance', () => {
  const apps = [makeApp({}, [{}, { index: 1, state: 'starting', pid: null }])];
  const lines = renderApps(apps, { paint, nowMs, perInstance: true });
  assert.match(lines[1]!, /^ 0 {2}web:0 {2}running/);
  assert.match(lines[2]!, /^ 0 {2}web:1 {2}starting/);
  assert.equal(lines.at(-1), '1 app');
});

test('list counts the instances that an app consists of, and says that it is reloaded', () => {
  const candidate = { index: 1, role: 'candidate', state: 'starting', pid: 815, restarts: 0 } as const;
  const retiring = { index: 0, role: 'retiring', state: 'stopping', pid: 812, restarts: 5 } as const;
  const web = makeApp({ reload: { phase: 'rolling', done: 1, of: 2 } }, [
    { pid: 814 },
    { index: 1, pid: 813 },
    candidate,
    retiring,
  ]);
  const api = makeApp({ id: 1, name: 'api', reload: { phase: 'paused', done: 0, of: 2 } }, [
    {},
    { index: 1 },
    { role: 'candidate' },
  ]);
  const lines = renderApps([web, api], { paint, nowMs });
  assert.match(lines[1]!, /^ 0 {2}web ×2 {2}running {2}5m {9}0 /);
  assert.deepEqual(lines.slice(3), [
    '',
    'web: reloading, 1 of 2',
    'api: reload waits with 1 new beside 2: stead reload api --continue, or --abort',
    '',
    '2 apps',
  ]);
  const each = renderApps([web], { paint, nowMs, perInstance: true }).slice(1, 5);
  assert.deepEqual(
    each.map((line) => line.slice(4, 22).trim()),
    ['web:0', 'web:1', 'web:1 (new)', 'web:0 (draining)'],
  );
});

test('show tells what instances share, and which runs are about to come or go', () => {
  const roles = [
    {},
    { role: 'candidate', state: 'starting', pid: 9 },
    { role: 'retiring', state: 'stopping', pid: 8 },
  ] as const;
  const held = [
    {
      key: 'tcp:*:5000',
      address: '[::]:5000',
      queue: 0,
      accepting: [
        { index: 0, pid: 12 },
        { index: 1, pid: 13 },
      ],
    },
    { key: 'unix:/run/x.sock', address: '/run/x.sock', queue: null, accepting: [] },
    { key: 'udp4:*:53', address: 'UDP port 53', queue: null, accepting: [{ index: 0, pid: 12 }] },
    { key: 'tcp:127.0.0.1:80', address: '127.0.0.1:80', queue: 3, accepting: [] },
  ];
  const detail = makeDetail({ ...makeApp({ reload: { phase: 'aborting', done: 1, of: 1 } }, roles), held });
  const text = renderDetail(detail, { paint, nowMs, showEnv: false }).join('\n');
  assert.match(text, /^reload {16}reload aborted, 1 of 1 were replaced$/m);
  assert.match(text, /^instance 0 {12}running, pid 812/m);
  assert.match(text, /^instance 0 \(new\) {6}starting, pid 9/m);
  assert.match(text, /^instance 0 \(draining\) stopping, pid 8/m);
  assert.ok(
    text.includes(
      [
        'sockets',
        '  port 5000, queue 0, accepted by 0 (pid 12), 1 (pid 13)',
        '  /run/x.sock, accepted by nobody',
        '  UDP port 53, read by 0 (pid 12)',
        '  127.0.0.1:80, queue 3, accepted by nobody',
      ].join('\n'),
    ),
    text,
  );
});

test('on 80 columns long names and ports are cut, elsewhere never', () => {
  const app = makeApp({ name: 'n'.repeat(64), ports: ['/run/some/very/long/socket/path.sock'] });
  for (const line of renderApps([app], { paint, nowMs, width: 80 }).slice(0, 2)) assert.ok(line.length <= 80, line);
  assert.ok(renderApps([app], { paint, nowMs })[1]!.includes('n'.repeat(64)));
});

test('no escape sequence of a name, a reason or a port reaches the terminal', () => {
  const evil = '\x1b]52;c;x\x07';
  const app = makeApp({ name: evil, reason: evil, ports: [evil], state: 'failed' });
  const exit = {
    at: null,
    run: 1,
    pid: 1,
    code: 1,
    signal: null,
    coreDumped: false,
    ambiguous: false,
    upMs: 3,
    reason: evil,
  };
  const detail = makeDetail({
    ...app,
    held: [{ key: 'unix:x', address: evil, queue: null, accepting: [] }],
    env: [`A=${evil}`],
    exits: [exit],
    processes: [{ pid: 1, ppid: 0, command: evil }],
  });
  const early = earlyLines(app, { exit, lastLines: [evil], next: evil });
  const text = [
    ...renderApps([app], { paint, nowMs }),
    ...renderDetail(detail, { paint, nowMs, showEnv: true }),
    ...early,
  ].join('\n');
  assert.ok(!/[\x00-\x09\x0b-\x1f]/.test(text));
});

test('show says what was asked for, what is, and hides the environment', () => {
  const text = renderDetail(makeDetail(), { paint, nowMs, showEnv: false }).join('\n');
  assert.match(text, /^command {7}\/usr\/bin\/node '\/srv\/my app\/web.js' --port 80$/m);
  assert.match(text, /^run {11}pid 812, running for 5 min, 0 restarts, cpu 0.4%, memory 45.2M$/m);
  assert.match(text, /2 variables: stead show web --show-env/);
  assert.ok(!text.includes('TOKEN'));
});

test('units are short and round sensibly', () => {
  assert.deepEqual([0, 59_999, 60_000, 7_200_000, 172_800_000, -5].map(shortDuration), [
    '0s',
    '59s',
    '1m',
    '2h',
    '2d',
    '0s',
  ]);
  assert.deepEqual([250, 12_340, 303_000, 3_600_000, 97_200_000].map(longDuration), [
    '250 ms',
    '12.3 s',
    '5 min 3 s',
    '1 h',
    '1 d 3 h',
  ]);
  assert.deepEqual([0, 1023, 1024, 47_400_000, 1023 * 1024 ** 2, 2 ** 40].map(shortSize), [
    '0',
    '1023',
    '1K',
    '45.2M',
    '1.0G',
    '1.0T',
  ]);
  assert.deepEqual([0, 0.04, 0.44, 9.96, 230].map(shortPercent), ['0%', '0%', '0.4%', '10%', '230%']);
});

test('colour needs a terminal and is given up for NO_COLOR', () => {
  assert.equal(painter({}, true)('x', 'red'), '\x1b[31mx\x1b[0m');
  assert.equal(painter({ NO_COLOR: '1' }, true)('x', 'red'), 'x');
  assert.equal(painter({ TERM: 'dumb' }, true)('x', 'red'), 'x');
  assert.equal(painter({}, false)('x', 'red'), 'x');
});

test('a death by signal n is exit code 128+n, an unknown end none', () => {
  const signals = { SIGKILL: 9 };
  assert.equal(shellCode({ code: 3, signal: null }, signals), 3);
  assert.equal(shellCode({ code: null, signal: 'SIGKILL' }, signals), 137);
  assert.equal(shellCode({ code: null, signal: 'SIG40' }, signals), 168);
  assert.equal(shellCode({ code: null, signal: null }, signals), undefined);
});

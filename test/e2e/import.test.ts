/** Other tools' files: imported, applied, and their programs run as they would there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApplyResponse } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** The variables and arguments of the main process of each app, instance by instance. */
async function running(stead: Stead) {
  const apps = (await stead.list()).filter(({ state }) => state === 'running');
  const facts = apps.flatMap(({ name, instances }) =>
    instances.map(({ pid }, at) => {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1);
      const env = Object.fromEntries(
        read('environ').map((entry) => [entry.split('=')[0]!, entry.slice(entry.indexOf('=') + 1)]),
      );
      return [`${name}:${at}`, { argv: read('cmdline'), env }] as const;
    }),
  );
  return Object.fromEntries(facts);
}

/** All that comes from a socket. */
const reply = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    connect(path)
      .setEncoding('utf8')
      .on('data', (part) => {
        text += part;
      })
      .on('error', reject)
      .on('end', () => resolve(text));
  });

const program = `process.title = ''; require('node:fs').writeFileSync(process.argv[2] + '-' + process.env.PORT, process.cwd()); setInterval(() => {}, 1000);`;

test('a Procfile with .env and a formation: each process with its own PORT, in its directory', async (t) => {
  const stead = new Stead(t);
  const write = (name: string, text: string) => writeFileSync(join(stead.directory, name), text);
  write('show.js', program);
  write(
    'Procfile',
    'web: node show.js web\nshell: A=shell && exec node show.js "$GREETING" && exit 1\nidle: sleep 100\n',
  );
  write('.env', 'GREETING="hello"\nPORT=7000\n');
  await stead.ok(['import', 'procfile', '-m', 'web=2,shell=1', '-o', 'stead.config.yaml']);
  const again = await stead.run(['import', 'procfile', '-o', 'stead.config.yaml']);
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [5, true]);
  const { apps } = await stead.json<ApplyResponse>(['apply']);
  assert.deepEqual(
    apps.map(({ name, error }) => [name, error]),
    [
      ['web', null],
      ['shell', null],
      ['idle', null],
    ],
  );
  for (const name of ['web-7000', 'web-7001', 'hello-7100'])
    await waitFor(name, () => (existsSync(join(stead.directory, name)) ? true : null));
  assert.equal(readFileSync(join(stead.directory, 'web-7001'), 'utf8'), stead.directory);
  assert.equal((await stead.show('idle')).state, 'stopped');
  const { 'web:0': first, 'web:1': second } = await running(stead);
  assert.deepEqual([first!.env.GREETING, first!.env.PORT, second!.env.PORT], ['hello', '7000', '7001']);
  const twice = await stead.json<ApplyResponse>(['apply']);
  assert.deepEqual(
    twice.apps.map(({ change }) => change),
    ['same', 'same', 'same'],
  );
});

test('a supervisord.conf with an include and a systemd unit with a drop-in, in one home', async (t) => {
  const stead = new Stead(t, { env: { WHO: 'world' } });
  const folder = stead.folder('supervisor/conf.d');
  const units = stead.folder('units/node.service.d');
  writeFileSync(
    join(stead.directory, 'supervisor/supervisord.conf'),
    '[supervisord]\nenvironment=COMMON="a,b"\n[include]\nfiles=conf.d/*.conf\n',
  );
  writeFileSync(
    join(folder, 'sleep.conf'),
    '[program:sleeper]\ncommand=sleep 10%(process_num)02d\nprocess_name=%(program_name)s_%(process_num)d\nnumprocs=2\nenvironment=HELLO="%(ENV_WHO)s",N="%(process_num)d" ; a comment\ndirectory=/\nstdout_logfile=%(here)s/out.log\n',
  );
  writeFileSync(
    join(stead.directory, 'units/node.service'),
    '[Service]\nEnvironment=SECONDS=100 "TEXT=a b"\nExecStartPre=/bin/mkdir -p made\nExecStart=/bin/sleep ${SECONDS}\nRestart=on-failure\n',
  );
  writeFileSync(
    join(units, '10.conf'),
    `[Service]\nWorkingDirectory=${stead.directory}/units\nEnvironment=MORE=$$HOME\nLimitNOFILE=512\n`,
  );
  const [{ stdout }] = await Promise.all([
    stead.ok(['import', 'supervisor', 'supervisor/supervisord.conf']),
    stead.ok(['import', 'systemd', 'units/node.service', '-o', 'b.yaml']),
  ]);
  writeFileSync(join(stead.directory, 'a.yaml'), stdout);
  await stead.ok(['apply', 'a.yaml']);
  await stead.ok(['apply', 'b.yaml']);
  const programs = await running(stead);
  assert.deepEqual(Object.keys(programs).sort(), ['node:0', 'sleeper_0:0', 'sleeper_1:0']);
  const { argv, env } = programs['sleeper_1:0']!;
  assert.deepEqual([argv, env.HELLO, env.N, env.COMMON], [['sleep', '1001'], 'world', '1', 'a,b']);
  await waitFor('exec', async () => ((await running(stead))['node:0']!.argv[0] === '/bin/sleep' ? true : null));
  const node = (await running(stead))['node:0']!;
  assert.deepEqual([node.argv, node.env.TEXT, node.env.MORE], [['/bin/sleep', '100'], 'a b', '$$HOME']);
  assert.ok(statSync(join(stead.directory, 'units/made')).isDirectory());
  assert.match(
    readFileSync(`/proc/${(await stead.show('node')).instances[0]!.pid}/limits`, 'utf8'),
    /Max open files +512 +512/,
  );
  assert.match((await stead.ok(['list', '@sleeper'])).stdout, /sleeper_0/);
});

test('sockets: a FastCGI program has its own as stdin; a unit with a socket is started by the first connection', async (t) => {
  const stead = new Stead(t);
  const write = (name: string, text: string) => writeFileSync(join(stead.directory, name), text);
  const server = (fd: number) =>
    `require('node:net').createServer((client) => client.end(String(process.pid))).listen({ fd: ${fd} });`;
  write('stdin.js', server(0));
  write('third.js', server(3));
  write('s.conf', '[fcgi-program:fcgi]\nsocket=unix://%(here)s/fcgi.sock\ncommand=node %(here)s/stdin.js\n');
  write('web.service', '[Service]\nWorkingDirectory=%Y\nExecStart=/usr/bin/env node third.js\n');
  write('web.socket', '[Socket]\nListenStream=%Y/web.sock\n');
  await Promise.all([
    stead.ok(['import', 'supervisor', 's.conf', '-o', 'a.yaml']),
    stead.ok(['import', 'systemd', './web.service', './web.socket', '-o', 'b.yaml']),
  ]);
  await stead.ok(['apply', 'a.yaml']);
  await stead.ok(['apply', 'b.yaml']);
  assert.equal((await stead.show('web')).state, 'waiting');
  for (const name of ['fcgi', 'web']) {
    const answer = await reply(join(stead.directory, `${name}.sock`));
    assert.equal(answer, String((await stead.show(name)).instances[0]!.pid), name);
  }
});

test('what runs by forever is read, and nothing of it is touched', async (t) => {
  const stead = new Stead(t);
  const root = stead.folder('root/pids');
  const monitor = stead.folder('bin');
  writeFileSync(
    join(monitor, 'monitor'),
    `const child = require('node:child_process').spawn(process.execPath, [process.argv[2], '--port', '80'], { env: { ...process.env, NODE_ENV: 'production' } }); require('node:fs').writeFileSync(process.argv[3], String(child.pid)); child.once('exit', () => process.exit());`,
  );
  writeFileSync(join(stead.directory, 'web.js'), 'setInterval(() => {}, 1000);');
  await stead.ok([
    'run',
    '--name',
    'monitor',
    '--',
    process.execPath,
    join(monitor, 'monitor'),
    join(stead.directory, 'web.js'),
    join(root, 'Ab3x.pid'),
  ]);
  const env = { FOREVER_ROOT: join(stead.directory, 'root') };
  const text = await waitFor('the program', async () => {
    const { code, stdout } = await stead.run(['import', 'forever'], { env });
    return code === 0 ? stdout : null;
  });
  assert.match(text, /- name: web\n {4}script: web\.js\n {4}args: \[--port, "80"\]\n/);
  assert.match(text, /NODE_ENV: production/);
  await stead.ok(['delete', 'monitor']);
  assert.equal((await stead.run(['import', 'forever'], { env })).code, 5);
});

test('what can not be imported: exit codes and words', async (t) => {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'Procfile'), 'web: x\nnonsense\n');
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['import'], 2, /needs a kind/],
    [['import', 'procfil'], 2, /did you mean procfile\?/],
    [['import', 'procfile'], 5, /line 2: "nonsense" is no process/],
    [['import', 'supervisor', 'none.conf'], 5, /There is no file "none\.conf"/],
    [['import', 'supervisor', '.'], 5, /it is a directory/],
    [['import', 'supervisor', '-m', 'x=1'], 2, /--formation means nothing/],
    [['import', 'systemd'], 2, /needs unit files/],
    [['import', 'forever', '--', 'stop', '0'], 2, /forever stop starts nothing/],
  ];
  const results = await Promise.all(cases.map(([words]) => stead.run(words)));
  for (const [at, [words, code, message]] of cases.entries()) {
    assert.equal(results[at]!.code, code, words.join(' '));
    assert.match(results[at]!.stderr, message, words.join(' '));
  }
});

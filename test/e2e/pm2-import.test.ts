/** What pm2 has saved is imported, and what it runs is taken over: while it serves, or not at all. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { failed, Load } from '../support/load.ts';
import { Pm2StandIn } from '../support/pm2-stand-in.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { needs, python } from '../support/programs.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const server = (
  port: number,
) => `const server = require('http').createServer((q, r) => r.end('' + process.pid)).listen(${port}, '127.0.0.1');
process.on('SIGINT', () => server.close(() => process.exit(0)));
`;
const untilServed = (port: number) =>
  waitFor(`port ${port}`, async () => {
    const load = new Load(port, { concurrency: 1, pauseMs: 5 });
    await load.more(1);
    return (await load.stop()).ok > 0;
  });

test('import pm2: what was saved, the one before it where that is broken, and nothing of pm2 is changed', async (t) => {
  const stead = new Stead(t);
  const home = stead.folder('.pm2');
  const one = {
    name: 'web',
    pm_exec_path: join(stead.directory, 'web.js'),
    pm_cwd: stead.directory,
    exec_mode: 'cluster_mode',
    exec_interpreter: 'node',
    status: 'online',
    merge_logs: false,
    env: { HOME: stead.env.HOME, MODE: '${prod}' },
  };
  writeFileSync(join(stead.directory, 'web.js'), 'setInterval(() => {}, 1e6);');
  writeFileSync(join(home, 'dump.pm2'), JSON.stringify([one, one]));
  writeFileSync(join(home, 'dump.pm2.bak'), JSON.stringify([{ ...one, name: 'before' }]));
  const first = await stead.ok(['import', 'pm2']);
  assert.match(first.stdout, /name: web\n[\s\S]*instances: 2\n/);
  await stead.ok(['import', 'pm2', '-o', 'stead.config.yaml']);
  assert.equal(statSync(join(stead.directory, 'stead.config.yaml')).mode & 0o077, 0);
  await stead.ok(['apply', '--no-wait']);
  const { spec } = await stead.show('web');
  assert.equal(spec.share.instances, 2);
  assert.match((await stead.ok(['env', 'web', '--show-env'])).stdout, /^MODE=\$\{prod\}$/m);
  writeFileSync(join(home, 'dump.pm2'), '[{"name": ');
  assert.match((await stead.ok(['import', 'pm2'])).stdout, /this is of .*dump\.pm2\.bak[\s\S]*name: before/);
  assert.equal(readFileSync(join(home, 'dump.pm2'), 'utf8'), '[{"name": ');
  rmSync(home, { recursive: true });
  const none = await stead.run(['import', 'pm2']);
  assert.deepEqual([none.code, /pm2 save writes it/.test(none.stderr)], [5, true]);
  const nobody = await stead.run(['import', 'pm2', '--take-over']);
  assert.deepEqual([nobody.code, /No pm2 runs in/.test(nobody.stderr)], [5, true]);
  writeFileSync(
    join(stead.directory, 'ecosystem.config.js'),
    "module.exports = [{ name: 'x', script: 'web.js', env_prod: { A: 1 } }]",
  );
  assert.match((await stead.ok(['import', 'pm2', 'ecosystem.config.js'])).stdout, /env_prod:\n +A: "1"/);
});

test('take-over: ours is on the same socket before theirs ends, and no request is lost', async (t) => {
  const stead = new Stead(t);
  const pm2 = new Pm2StandIn(stead, t);
  const port = await freePort();
  writeFileSync(join(stead.directory, 'web.js'), server(port));
  writeFileSync(join(stead.directory, 'worker.js'), 'setInterval(() => {}, 1e6);');
  const theirs = pm2.run('web', 'web.js', { env: { MODE: 'prod' } });
  const worker = pm2.run('worker', 'worker.js');
  await untilServed(port);
  const load = new Load(port, { concurrency: 4, pauseMs: 2 });
  await load.more(20);
  const { stdout } = await stead.ok(['import', 'pm2', '--take-over'], { env: pm2.env });
  await load.more(50);
  const result = await load.stop();
  assert.equal(failed(result), 0, JSON.stringify(result.failures) + stdout);
  assert.match(
    stdout,
    new RegExp(`web: started, and serves ${port} beside pm2's\nweb: pm2's is ended\n[\\s\\S]*2 of 2 moved`),
  );
  const ours = await stead.pid('web');
  assert.ok(result.bodies[String(theirs)]! > 0 && result.bodies[String(ours)]! > 0);
  assert.deepEqual([isRunning(theirs), isRunning(worker), pm2.calls()], [false, false, ['delete 0', 'delete 1']]);
  assert.ok(readFileSync(`/proc/${ours}/environ`, 'latin1').split('\0').includes('MODE=prod'));
  // From now on it is an app like any other.
  await stead.ok(['reload', 'web']);
  await stead.ok(['stop', 'web']);
  await assert.rejects(() => fetch(`http://127.0.0.1:${port}`));
});

test('take-over: what does not come up leaves theirs serving', async (t) => {
  const stead = new Stead(t);
  const pm2 = new Pm2StandIn(stead, t);
  const port = await freePort();
  writeFileSync(join(stead.directory, 'web.js'), server(port));
  const theirs = pm2.run('web', 'web.js');
  await untilServed(port);
  // As somebody may have left it who has not restarted it since.
  writeFileSync(join(stead.directory, 'web.js'), 'process.exit(3);');
  const load = new Load(port, { concurrency: 2, pauseMs: 2 });
  const { code, stdout } = await stead.run(['import', 'pm2', '--take-over'], { env: pm2.env });
  await load.more(50);
  const result = await load.stop();
  assert.deepEqual([code, failed(result), Object.keys(result.bodies)], [1, 0, [String(theirs)]]);
  assert.match(stdout, /web: ours ended: exit code 3.*; pm2 goes on with it\n0 of 1 moved/);
  assert.deepEqual([pm2.calls(), await stead.list()], [[], []]);
});

test(
  'take-over: what can’t share its port is stopped first, and started again if ours fails',
  needs(python),
  async (t) => {
    const stead = new Stead(t);
    const pm2 = new Pm2StandIn(stead, t);
    const port = await freePort();
    const text = `import http.server, signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
if __import__('os').path.exists('bad') and __import__('os').environ.get('STEAD_RUN_ID'): sys.exit(3)
http.server.ThreadingHTTPServer(('127.0.0.1', ${port}), http.server.SimpleHTTPRequestHandler).serve_forever()
`;
    writeFileSync(join(stead.directory, 'web.py'), text);
    const theirs = pm2.run('py', 'web.py', { interpreter: python });
    await untilServed(port);
    writeFileSync(join(stead.directory, 'bad'), '');
    const refused = await stead.run(['import', 'pm2', '--take-over'], { env: pm2.env });
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /can't be shared: pm2's is stopped first/);
    assert.deepEqual(pm2.calls(), ['stop 0', 'restart 0']);
    await untilServed(port);
    assert.ok(!isRunning(theirs));
    rmSync(join(stead.directory, 'bad'));
    await stead.ok(['import', 'pm2', '--take-over'], { env: pm2.env });
    await untilServed(port);
    assert.deepEqual(
      (await stead.list()).map(({ name, state }) => [name, state]),
      [['py', 'running']],
    );
    assert.ok(!existsSync(join(stead.directory, 'bad')));
  },
);

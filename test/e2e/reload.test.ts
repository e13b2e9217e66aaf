/** Instances that share a port: scaled, reloaded, killed; each under load, and no request is lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AppView } from '../../src/protocol/api.ts';
import { holderOf } from '../faults/harness/reloads.ts';
import { failed, Load } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** Answers with its version and its pid. */
const server = (port: number, version = 'v1') =>
  `require('http').createServer((q, r) => r.end('${version} ' + process.pid)).listen(${port}, '127.0.0.1');`;

class Cluster {
  readonly stead: Stead;
  readonly port: number;
  readonly script: string;

  constructor(t: TestContext, port: number) {
    this.stead = new Stead(t);
    this.port = port;
    this.script = join(this.stead.directory, 'web.js');
    this.write(server(port));
  }

  static async start(t: TestContext, instances: number, ...options: string[]): Promise<Cluster> {
    const cluster = new Cluster(t, await freePort());
    await cluster.stead.ok(['start', cluster.script, '--name', 'web', '-i', String(instances), ...options]);
    return cluster;
  }

  write(text: string): void {
    writeFileSync(this.script, text);
  }

  async app(): Promise<AppView> {
    return (await this.stead.list())[0]!;
  }

  /** Of those that serve. */
  async pids(): Promise<number[]> {
    return (await this.app()).instances.flatMap(({ role, pid }) => (role === undefined && pid !== null ? [pid] : []));
  }

  /** Does something under load, both with a connection for each request and with connections that last. */
  async underLoad(work: () => Promise<void>, { mayReset = false } = {}): Promise<Record<string, number>> {
    const steady = { concurrency: 4, pauseMs: 3 };
    const loads = [new Load(this.port, steady), new Load(this.port, { ...steady, keepAlive: true })];
    await Promise.all(loads.map((load) => load.more(50)));
    await work();
    await Promise.all(loads.map((load) => load.more(50)));
    const results = await Promise.all(loads.map((load) => load.stop()));
    for (const result of results) {
      const { reset = 0, ECONNRESET = 0 } = mayReset ? result.failures : {};
      assert.equal(failed(result) - reset - ECONNRESET, 0, JSON.stringify(result.failures));
      assert.ok(reset + ECONNRESET <= 8, JSON.stringify(result.failures));
    }
    return Object.assign({}, ...results.map(({ bodies }) => bodies));
  }
}

test('reload replaces every instance, and no request is lost', async (t) => {
  const web = await Cluster.start(t, 3);
  const before = await web.pids();
  web.write(server(web.port, 'v2'));
  const bodies = await web.underLoad(async () => {
    await web.stead.ok(['reload', 'web']);
  });
  const after = await web.pids();
  assert.equal(after.length, 3);
  assert.ok(after.every((pid) => !before.includes(pid)));
  assert.ok(before.every((pid) => !isRunning(pid)));
  for (const pid of after) assert.ok(bodies[`v2 ${pid}`]! > 0, `v2 ${pid} answered nobody`);
});

test('a port that a stranger has, or another app, is told at once and by whom', async (t) => {
  const web = new Cluster(t, await freePort());
  const stranger = createServer().listen(web.port, '127.0.0.1');
  await once(stranger, 'listening');
  const started = await web.stead.run(['start', web.script, '--name', 'web', '-i', '2']);
  assert.equal(started.code, 1);
  assert.match(started.stdout + started.stderr, new RegExp(`port ${web.port} is held by pid ${process.pid} \\(`));
  stranger.close();
  await web.stead.until('web', 'its next try', ({ state }) => state === 'running');
  await web.stead.until('web', 'its sockets', ({ held = [] }) => held.length > 0);
  for (const [name, ...options] of [['second', '-i', '2'], ['third']]) {
    const { code, stdout, stderr } = await web.stead.run(['start', web.script, '--name', name!, ...options]);
    assert.equal(code, 1);
    assert.match(stdout + stderr, new RegExp(`port ${web.port} is held by stead for "web"`));
  }
});

test('scale adds instances and takes them away, the highest first, and keeps to it', async (t) => {
  const web = await Cluster.start(t, 1);
  const [first] = await web.pids();
  await web.underLoad(async () => {
    await web.stead.ok(['scale', 'web', '4']);
    assert.equal((await web.pids()).length, 4);
    await web.stead.ok(['scale', 'web', '-2']);
  });
  const pids = await web.pids();
  assert.deepEqual([pids.length, pids[0]], [2, first]);
  await web.stead.ok(['restart', 'web']);
  assert.deepEqual(
    (await web.app()).instances.map(({ index }) => index),
    [0, 1],
  );
});

const bad = {
  'crashes at once': () => "throw new Error('no good')",
  'listens and crashes': (port: number) => `${server(port)} setTimeout(() => process.exit(3), 20)`,
  'never listens': () => 'setInterval(() => {}, 1000)',
  'listens elsewhere': () => server(0),
} as const;

for (const [title, text] of Object.entries(bad)) {
  test(`reload to a version that ${title}: it fails with the reason, and the old one serves on`, async (t) => {
    const web = await Cluster.start(t, 2, '--ready-timeout', '1s');
    const before = await web.pids();
    web.write(text(web.port));
    const bodies = await web.underLoad(
      async () => {
        const { code, stderr } = await web.stead.run(['reload', 'web']);
        assert.notEqual(code, 0);
        assert.match(stderr, /"web" was not reloaded: its new version failed: .+The old version serves on/);
        if (title === 'listens elsewhere') {
          const [, elsewhere] = /it listens on 127\.0\.0\.1:(\d+), not on 127\.0\.0\.1:\d+/.exec(stderr) ?? [];
          await assert.rejects(fetch(`http://127.0.0.1:${elsewhere}/`), 'nobody waits where it listened');
        }
        // What it had begun to answer goes with it.
      },
      { mayReset: title === 'listens and crashes' },
    );
    assert.deepEqual(await web.pids(), before);
    assert.deepEqual([...new Set(Object.keys(bodies).map((body) => body.slice(0, 2)))], ['v1']);
    const app = await web.app();
    assert.deepEqual([app.state, app.instances.length, app.reload], ['running', 2, null]);
  });
}

test('a canary serves beside the old version until it is told to go on, or back', async (t) => {
  const web = await Cluster.start(t, 2);
  const before = await web.pids();
  web.write(server(web.port, 'v2'));
  await web.underLoad(async () => {
    await web.stead.ok(['reload', 'web', '--canary', '1']);
    assert.deepEqual(await web.pids(), before);
    assert.deepEqual((await web.app()).reload, { phase: 'paused', done: 0, of: 2 });
    const refused = await web.stead.run(['reload', 'web']);
    assert.match(refused.stderr, /--continue/);
    await web.stead.ok(['reload', 'web', '--abort']);
    assert.deepEqual([await web.pids(), (await web.app()).instances.length], [before, 2]);
    await web.stead.ok(['reload', 'web', '--canary', '1']);
    await web.stead.ok(['daemon', 'restart']);
    assert.equal((await web.app()).reload?.phase, 'paused');
    await web.stead.ok(['reload', 'web', '--continue']);
  });
  const after = await web.pids();
  assert.ok(after.length === 2 && after.every((pid) => !before.includes(pid)));
});

test('the daemon is killed under load, comes back, and reloads: no request is lost', async (t) => {
  const web = await Cluster.start(t, 2);
  const before = await web.pids();
  await web.underLoad(async () => {
    const { pid } = await web.stead.daemon();
    process.kill(pid!, 'SIGKILL');
    await waitFor('another daemon', async () => {
      const now = await web.stead.daemon();
      return now.running && now.pid !== pid;
    });
    assert.deepEqual(await web.pids(), before);
    await web.stead.ok(['reload', 'web']);
    await web.stead.ok(['scale', 'web', '3']);
  });
  const after = await web.pids();
  assert.ok(after.length === 3 && after.every((pid) => !before.includes(pid)));
});

test('the daemon is killed while it reloads: the next one goes on, and no request is lost', async (t) => {
  const web = await Cluster.start(t, 3);
  const before = await web.pids();
  web.write(server(web.port, 'v2'));
  await web.underLoad(async () => {
    const { pid } = await web.stead.daemon();
    const reload = web.stead.run(['reload', 'web']);
    await waitFor('a candidate', async () =>
      (await web.app()).instances.some(({ role, pid }) => role === 'candidate' && pid !== null),
    );
    process.kill(pid!, 'SIGKILL');
    await reload;
    await waitFor('the end of it', async () => {
      const app = await web.app();
      return app.reload === null && app.instances.length === 3 && app.instances.every(({ ready }) => ready);
    });
  });
  const after = await web.pids();
  assert.ok(after.length === 3 && after.every((pid) => !before.includes(pid)));
  assert.ok(before.every((pid) => !isRunning(pid)));
});

test('a holder that is killed is replaced, and a reload afterwards loses nothing', async (t) => {
  const web = await Cluster.start(t, 2);
  const holder = () => holderOf(web.stead.home, 'web');
  const first = await waitFor('a holder', holder);
  await web.underLoad(async () => {
    process.kill(first, 'SIGKILL');
    await waitFor('another holder', () => holder() !== first && isRunning(holder() ?? 0));
    await web.stead.ok(['reload', 'web']);
  });
});

test('daemon, guardian and holder are killed at once: the sockets come back from the programs', async (t) => {
  const web = await Cluster.start(t, 2);
  const holder = await waitFor('a holder', () => holderOf(web.stead.home, 'web'));
  await web.underLoad(async () => {
    const { pid, guardian } = await web.stead.daemon();
    for (const each of [guardian!, pid!, holder]) process.kill(each, 'SIGKILL');
    await waitFor('their end', () => [guardian!, pid!, holder].every((each) => !isRunning(each)));
    await web.stead.ok(['reload', 'web']);
    await web.stead.ok(['reload', 'web']);
  });
  assert.match(readFileSync(join(web.stead.home, 'daemon.log'), 'utf8'), /no holder has its sockets/);
});

test('a worker that is killed loses what it was answering, and no connection is refused', async (t) => {
  const web = await Cluster.start(t, 3);
  const load = new Load(web.port, { concurrency: 6 });
  await load.more(100);
  const [victim] = await web.pids();
  process.kill(victim!, 'SIGKILL');
  await load.more(100);
  const result = await load.stop();
  assert.ok(failed(result) <= 6, JSON.stringify(result.failures));
  assert.equal(result.failures.ECONNREFUSED, undefined);
  await web.stead.until('web', 'three again', ({ instances }) => instances.every(({ ready }) => ready));
});

test('a restart keeps the socket: who comes meanwhile waits, and is answered', async (t) => {
  const web = await Cluster.start(t, 1);
  const load = new Load(web.port, { concurrency: 2 });
  await load.more(20);
  await web.stead.ok(['restart', 'web']);
  await load.more(20);
  const result = await load.stop();
  assert.equal(result.failures.ECONNREFUSED, undefined);
  assert.ok(failed(result) <= 2, JSON.stringify(result.failures));
});

test('a long answer and a connection that lasts outlive a reload', async (t) => {
  const web = await Cluster.start(t, 1);
  web.write(`
    require('http').createServer((q, r) => {
      if (q.url !== '/slow') return r.end('quick');
      let left = 10;
      const timer = setInterval(() => { r.write('tick '); if (--left === 0) { clearInterval(timer); r.end('done'); } }, 100);
    }).listen(${web.port}, '127.0.0.1');`);
  await web.stead.ok(['reload', 'web']);
  const answer = fetch(`http://127.0.0.1:${web.port}/slow`);
  const response = await answer;
  await web.stead.ok(['reload', 'web']);
  assert.equal(await response.text(), `${'tick '.repeat(10)}done`);
});

test('a reload, a scale and a stop while a reload goes on end as they were asked for', async (t) => {
  const web = await Cluster.start(t, 3);
  const before = await web.pids();
  const first = web.stead.run(['reload', 'web']);
  await waitFor('a candidate', async () => (await web.app()).instances.some(({ role }) => role === 'candidate'));
  const [second, scaled] = await Promise.all([web.stead.run(['reload', 'web']), web.stead.run(['scale', 'web', '2'])]);
  assert.deepEqual([(await first).code, second.code, scaled.code], [0, 0, 0], second.stderr + scaled.stderr);
  // Though the second has begun by then.
  assert.match((await first).stdout, /^web reloaded, pids /);
  const pids = await web.pids();
  assert.ok(pids.length === 2 && pids.every((pid) => !before.includes(pid)));
  // It is under way for as long as a stop takes to come.
  web.write(`setTimeout(() => { ${server(web.port)} }, 10_000)`);
  const third = web.stead.run(['reload', 'web']);
  await waitFor('a candidate', async () => (await web.app()).instances.some(({ role }) => role === 'candidate'));
  await web.stead.ok(['stop', 'web']);
  assert.match((await third).stderr, /"web" was stopped while it was reloaded/);
  const app = await web.app();
  assert.deepEqual([app.state, app.want, app.instances.length, app.reload], ['stopped', 'stopped', 2, null]);
  assert.equal(await new Load(web.port, { concurrency: 1 }).stop().then(({ failures }) => failures.ECONNREFUSED), 1);
});

const survivors = {
  'calls process.send': 'setInterval(() => process.send && process.send({ tick: 1 }), 100);',
  'exits on disconnect': "process.on('disconnect', () => process.exit(9));",
  'has a listener for messages alone': "process.on('message', () => {}); server.unref();",
} as const;

test("programs that use an IPC channel don't notice the daemon's end", async (t) => {
  const stead = new Stead(t);
  const ports = new Map<string, number>();
  for (const [at, [title, text]] of Object.entries(survivors).entries()) {
    const port = await freePort();
    const script = join(stead.directory, `app${at}.js`);
    const make = `const server = require('http').createServer((q, r) => r.end('ok')).listen(${port}, '127.0.0.1');`;
    writeFileSync(script, `${make}\n${text}\nsetInterval(() => {}, 1000);`);
    await stead.ok(['start', script, '--name', `app${at}`, '-i', '1', '--stop-message']);
    ports.set(title, port);
  }
  const before = (await stead.list()).map(({ instances }) => instances[0]!.pid);
  const { pid } = await stead.daemon();
  process.kill(pid!, 'SIGKILL');
  await waitFor('another daemon', async () => {
    const now = await stead.daemon();
    return now.running && now.pid !== pid;
  });
  assert.deepEqual(
    (await stead.list()).map(({ instances }) => instances[0]!.pid),
    before,
  );
  for (const [title, port] of ports) assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok', title);
});

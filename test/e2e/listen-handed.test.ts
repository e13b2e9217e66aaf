/** What a program is handed by `listen:`, when a new one is taken to be ready, and what is said of one that can't end well. */
import assert from 'node:assert/strict';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { failed, Load } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { needs, program, python } from '../support/programs.ts';
import { Stead } from '../support/stead.ts';
import { waitForFile } from '../support/wait.ts';

const needsPython = needs(python);

interface Shown {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly childs: readonly string[];
  readonly sockets: readonly Readonly<Record<string, unknown>>[];
  readonly fds: readonly number[];
}

async function shown(stead: Stead, options: readonly string[]): Promise<Shown> {
  const file = join(stead.directory, 'shown');
  rmSync(file, { force: true });
  await stead.ok(['start', '--name', 'web', ...options, '--', python, program('shows_sockets.py'), file]);
  return JSON.parse(await waitForFile(file, /\}$/));
}

test(
  'sockets of several kinds are handed over in the order named, with their names, and nothing else',
  needsPython,
  async (t) => {
    const stead = new Stead(t);
    const [http, any, udp] = [await freePort(), await freePort(), await freePort()];
    const path = join(stead.directory, 'ctl.sock');
    const listen = [`http=127.0.0.1:${http}`, `ctl=unix:ctl.sock`, `udp:${udp}`, String(any)];
    const options = listen.flatMap((one) => ['--listen', one]);
    const { pid, env, childs, sockets, fds } = await shown(stead, options);
    assert.equal(env.LISTEN_FDS, '4');
    assert.equal(env.LISTEN_PID, String(pid));
    assert.equal(env.LISTEN_FDNAMES, `http:ctl:udp-${udp}:tcp-${any}`);
    // Inherited: who compares LISTEN_PID, as all should, takes nothing.
    assert.ok(childs.includes(`LISTEN_PID=${pid}`));
    assert.deepEqual(
      Object.keys(env).filter((name) => /^STEAD_(SHARE|PID)$|^NODE_/.test(name)),
      [],
    );
    assert.deepEqual(sockets, [
      { family: 'AF_INET', type: 'SOCK_STREAM', address: ['127.0.0.1', http], nonblock: false, inheritable: true },
      { family: 'AF_UNIX', type: 'SOCK_STREAM', address: path, nonblock: false, inheritable: true },
      { family: 'AF_INET6', type: 'SOCK_DGRAM', address: ['::', udp], nonblock: false, inheritable: true },
      { family: 'AF_INET6', type: 'SOCK_STREAM', address: ['::', any], nonblock: false, inheritable: true },
    ]);
    assert.deepEqual(fds, [0, 1, 2, 3, 4, 5, 6]);
    await stead.ok(['delete', 'web']);
    const again = await shown(stead, [...options, '--nonblock', '-i', '1']);
    assert.deepEqual(
      again.sockets.map(({ nonblock }) => nonblock),
      [true, true, true, true],
    );
    assert.equal(again.env.STEAD_INSTANCE, '0');
  },
);

test('gunicorn whose workers cannot load the new version is not taken for ready', needs('gunicorn'), async (t) => {
  const stead = new Stead(t, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
  const port = await freePort();
  const module = join(stead.directory, 'web_app.py');
  copyFileSync(program('web_app.py'), module);
  await stead.ok(['start', '--name', 'web', '-i', '1', '--listen', String(port), '--', 'gunicorn', 'web_app:wsgi']);
  const load = new Load(port, { concurrency: 1, pauseMs: 10 });
  await load.more(1);
  // Later than any settling time.
  writeFileSync(module, 'import time\ntime.sleep(0.6)\nraise RuntimeError("no such table")\n');
  const { code, stderr } = await stead.run(['reload', 'web']);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /"web" was not reloaded: its new version failed: exit code 3/);
  await load.more(5);
  assert.equal(failed(await load.stop()), 0);
});

test('uvicorn by --fd is replaced', needs('uvicorn'), async (t) => {
  const stead = new Stead(t, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
  const port = await freePort();
  const start = ['start', '--name', 'web', '-i', '1', '--listen', String(port)];
  await stead.ok([...start, '--', 'uvicorn', '--app-dir', dirname(program('web_app.py')), 'web_app:asgi', '--fd', '3']);
  const load = new Load(port, { concurrency: 1, pauseMs: 10 });
  await load.more(1);
  const { stdout, stderr } = await stead.ok(['reload', 'web']);
  assert.equal(stderr, '');
  await load.more(5);
  const { bodies } = await load.stop();
  assert.ok(bodies[/pid (\d+)/.exec(stdout)![1]!]! > 0);
});

test(
  'a program that does not catch SIGTERM is replaced, and that requests were lost is said',
  needsPython,
  async (t) => {
    const stead = new Stead(t);
    const file = join(stead.directory, 'shown');
    const port = await freePort();
    const command = ['--', python, program('shows_sockets.py'), file];
    await stead.ok(['start', '--name', 'web', '-i', '1', '--listen', String(port), ...command]);
    await waitForFile(file, /\}$/);
    const { stdout, stderr } = await stead.ok(['reload', 'web']);
    assert.match(stdout, /^web reloaded, pid \d+$/m);
    assert.match(stderr, /^web does not catch SIGTERM: requests that it was answering may be lost/m);
  },
);

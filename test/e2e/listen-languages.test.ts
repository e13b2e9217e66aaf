/** Programs in several languages behind `listen:`: each loses no request over reloads, and over the deaths of the daemon and of the holder. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { failed, Load, type LoadResult } from '../support/load.ts';
import { repository } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { goServer, killDaemon, needs, program, python, pythonOf } from '../support/programs.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const programs = join(repository, 'test/programs');

const needsPython = needs(python);

interface Kind {
  readonly title: string;
  readonly needs: string;
  readonly options?: readonly string[];
  readonly command: () => readonly string[] | Promise<readonly string[]>;
}

const kinds: readonly Kind[] = [
  {
    title: 'Python with a thread for each connection',
    needs: python,
    options: ['--nonblock'],
    command: () => [python, program('threads.py')],
  },
  { title: 'Python with asyncio', needs: python, command: () => [python, program('coroutines.py')] },
  { title: 'gunicorn', needs: 'gunicorn', command: () => ['gunicorn', '--chdir', programs, 'web_app:wsgi'] },
  {
    title: 'uvicorn with a word before it ends connections',
    needs: 'uvicorn',
    command: () => [pythonOf('uvicorn'), program('drains_uvicorn.py')],
  },
  { title: 'Go', needs: 'go', command: async () => [await goServer()] },
  { title: 'Node by the number of a descriptor', needs: 'node', command: () => ['node', program('by-fd.cjs')] },
];

for (const { title, needs: what, options = [], command } of kinds) {
  test(`${title}: no request is lost over reloads and the deaths of daemon and holder`, needs(what), async (t) => {
    const stead = new Stead(t, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
    const port = await freePort();
    const start = ['start', '--name', 'web', '-i', '2', '--listen', String(port), ...options];
    await stead.ok([...start, '--', ...(await command())]);
    const loads = [false, true].map((keepAlive) => new Load(port, { concurrency: 2, keepAlive, pauseMs: 8 }));
    try {
      await killDaemon(stead);
      const first = await reloaded(stead, [], '--parallel', '2');
      await killHolder(stead);
      await reloaded(stead, first);
      await Promise.all(loads.map((load) => load.more(20)));
    } finally {
      const results = await Promise.all(loads.map((load) => load.stop()));
      for (const result of results) assertNoneLost(result);
    }
  });
}

function assertAnswered(result: LoadResult): void {
  assert.equal(failed(result), 0, `${result.ok} answered, ${JSON.stringify(result.failures)}`);
}

function assertNoneLost(result: LoadResult): void {
  assertAnswered(result);
  assert.ok(Object.keys(result.bodies).length > 2, 'answered by more than the first two');
}

/** By other processes than before; and nothing is said of losses. */
async function reloaded(stead: Stead, before: readonly number[], ...options: string[]): Promise<number[]> {
  const { stdout, stderr } = await stead.ok(['reload', 'web', ...options]);
  assert.equal(stderr, '');
  const pids = /^web reloaded, pids (\d+) (\d+)$/m.exec(stdout)?.slice(1).map(Number) ?? [];
  assert.equal(pids.length, 2, stdout);
  assert.ok(!pids.some((pid) => before.includes(pid)));
  return pids;
}

/** pid of the shell that holds the sockets of an app. */
function holderOf(stead: Stead): number | null {
  const records = readdirSync(join(stead.home, 'apps/web')).filter((name) => name.startsWith('holder.'));
  return records.length === 1 ? Number(records[0]!.split('.')[2]) : null;
}

async function killHolder(stead: Stead): Promise<void> {
  const pid = await waitFor('a holder', () => holderOf(stead));
  process.kill(pid, 'SIGKILL');
  await waitFor('another holder', () => {
    const now = holderOf(stead);
    return now !== null && now !== pid;
  });
}

test(
  'a Unix socket has the mode that the umask gives, survives reloads, and goes at a stop',
  needsPython,
  async (t) => {
    const stead = new Stead(t);
    const path = join(stead.directory, 'web.sock');
    const start = ['start', '--name', 'web', '-i', '2', '--umask', '0007', '--listen', 'unix:web.sock', '--nonblock'];
    await stead.ok([...start, '--', python, program('threads.py')]);
    assert.equal(lstatSync(path).mode & 0o777, 0o770);
    const loads = [false, true].map((keepAlive) => new Load(path, { concurrency: 2, keepAlive, pauseMs: 8 }));
    await Promise.all(loads.map((load) => load.more(5)));
    await killDaemon(stead);
    await reloaded(stead, []);
    await Promise.all(loads.map((load) => load.more(5)));
    for (const load of loads) assertAnswered(await load.stop());
    await stead.ok(['stop', 'web']);
    assert.ok(!existsSync(path));
    await stead.ok(['start', 'web']);
    assert.equal(lstatSync(path).mode & 0o777, 0o770);
    await stead.ok(['delete', 'web']);
    assert.deepEqual(
      readdirSync(stead.directory).filter((name) => name.includes('web.sock')),
      [],
    );
  },
);

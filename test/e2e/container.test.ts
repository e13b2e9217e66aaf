/** `up` as PID 1 of a container with a read-only root: no other init, orphans reaped, all ended in order, the right exit code. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repository, steadBin } from '../support/paths.ts';
import { collect, type Result } from '../support/stead.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait.ts';

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount', '--mount-proc', 'true']).status === 0;
const skip = canUnshare ? false : 'no pid namespace to be had: not root';

interface Container {
  readonly child: ChildProcess;
  readonly done: Promise<Result>;
  /** PID 1 of it, as it is called out here. */
  init(): number;
  children(): readonly { readonly pid: number; readonly state: string; readonly command: string }[];
  readonly output: { text: string };
}

/** Runs `stead up` in it; only /mnt can be written. */
function container(t: TestContext, apps: object): Container {
  const folder = temporaryDirectory(t, 'container');
  const config = join(folder, 'stead.config.json');
  writeFileSync(config, JSON.stringify({ apps }));
  const script = `mount -t tmpfs tmpfs /mnt && mount -o remount,bind,ro / && ! touch "$0/x" 2>/dev/null || exit 99
    STEAD_HOME=/mnt/stead exec "$1" "$2" up -f "$3"`;
  const flags = ['--pid', '--fork', '--kill-child', '--mount', '--mount-proc'];
  const words = [...flags, 'sh', '-c', script, repository, process.execPath, steadBin, config];
  const child = spawn('unshare', words, { stdio: 'pipe', env: { PATH: process.env.PATH } });
  t.after(() => child.kill('SIGKILL'));
  const done = collect(child, 'unshare', 60_000);
  const output = { text: '' };
  child.stdout.on('data', (text: string) => {
    output.text += text;
  });
  const childrenOf = (parent: number) =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          const [, command, state, ppid] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat)!;
          return Number(ppid) === parent ? [{ pid: Number(name), state: state!, command: command! }] : [];
        } catch {
          return [];
        }
      });
  const init = () => childrenOf(child.pid!)[0]?.pid ?? 0;
  return { child, done, init, children: () => childrenOf(init()), output };
}

const endless = (name: string, more = '') => [
  'sh',
  '-c',
  // Apart enough for who reads both.
  `trap 'sleep 0.5; echo ${name} ends; exit 0' TERM; echo ${name} begins; ${more} while :; do sleep 0.05; done`,
];

test('TERM ends all in reverse order; orphans are reaped; a killed daemon comes back', { skip }, async (t) => {
  const orphans = '(sleep 0.2 & sleep 0.3 & exec sleep 0.1) ;';
  const box = container(t, {
    db: { command: endless('db', orphans) },
    web: { command: endless('web'), depends_on: ['db'] },
  });
  await waitFor('both to begin', () => /web begins/.test(box.output.text) && /db begins/.test(box.output.text));
  const daemon = () => box.children().find(({ command }) => command === 'node')?.pid;
  const first = daemon();
  assert.ok(first, JSON.stringify(box.children()));
  assert.ok(box.children().every(({ command }) => !/guardian/.test(command)));
  process.kill(first, 'SIGKILL');
  await waitFor('another daemon', () => ![undefined, first].includes(daemon()));
  await waitFor('no zombie', () => box.children().every(({ state }) => state !== 'Z'));
  process.kill(box.init(), 'SIGTERM');
  const { code, stdout } = await box.done;
  assert.equal(code, 0);
  assert.deepEqual(stdout.match(/^(?:web|db) \| \w+ ends$/gm), ['web | web ends', 'db | db ends']);
});

test('it ends with the exit code of the app that ended it', { skip }, async (t) => {
  const box = container(t, {
    good: { command: ['sh', '-c', 'echo fine; echo to stderr >&2'], restart: 'no' },
    bad: { command: ['sh', '-c', 'sleep 0.5; exit 42'], restart: 'no' },
  });
  const { code, stdout, stderr } = await box.done;
  assert.equal(code, 42);
  assert.match(stdout, /^good \| fine$/m);
  assert.match(stderr, /^good \| to stderr$/m);
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ProcEntry, type ProcTable, readProcess, readProcTable } from './proc-table.ts';
import { cookieOf, findTree, hasCookie, holdsEntry } from './tree.ts';

const entry = (pid: number, ppid: number, more: Partial<ProcEntry> = {}): ProcEntry => ({
  pid,
  ppid,
  pgid: pid,
  session: pid,
  startTicks: 100 + pid,
  state: 'S',
  comm: 'x',
  utimeTicks: 0,
  stimeTicks: 0,
  cutimeTicks: 0,
  cstimeTicks: 0,
  threads: 1,
  rssPages: 1,
  ...more,
});
const tableOf = (...entries: ProcEntry[]): ProcTable => new Map(entries.map((one) => [one.pid, one]));
// Pids that no kernel gives, so that no real process answers for them.
const base = 2 ** 22;
const main = { pid: base + 10, startTicks: 1000 };
const mainEntry = entry(main.pid, 1, { startTicks: 1000 });

test('a tree holds what descends, what shares session or group, and what members lead', () => {
  const table = tableOf(
    mainEntry,
    entry(base + 11, main.pid, { startTicks: 1001 }),
    entry(base + 12, base + 11, { startTicks: 1002 }),
    entry(base + 13, 1, { startTicks: 1003, session: main.pid, pgid: base + 13 }),
    entry(base + 14, 1, { startTicks: 1004, pgid: main.pid, session: 5 }),
    entry(base + 15, 1, { startTicks: 1005, session: base + 12, pgid: base + 15 }),
    entry(base + 20, 1, { startTicks: 1006 }),
    entry(base + 21, base + 20, { startTicks: 1007 }),
  );
  assert.deepEqual(
    findTree(table, { main }),
    [10, 11, 12, 13, 14, 15].map((number) => base + number),
  );
});

test('what the main program left is found by its session after its death', () => {
  const left = entry(base + 11, 1, { startTicks: 1001, session: main.pid, pgid: base + 11 });
  assert.deepEqual(findTree(tableOf(left), { main }), [left.pid]);
});

test('nothing is a member by a pid that was given out again', () => {
  const stranger = entry(main.pid, 1, { startTicks: 5000 });
  const strangers = entry(base + 11, main.pid, { startTicks: 5001, session: main.pid, pgid: main.pid });
  assert.deepEqual(findTree(tableOf(stranger, strangers), { main }), []);
});

test('nothing older than the main program is a member', () => {
  const older = entry(base + 11, main.pid, { startTicks: 999 });
  assert.deepEqual(findTree(tableOf(mainEntry, older), { main }), [main.pid]);
});

test('a session that is older than the run is none of its', () => {
  const daemon = entry(base + 1, 1, { startTicks: 10 });
  const other = entry(base + 2, base + 1, { startTicks: 2000, session: base + 1, pgid: base + 1 });
  const early = entry(main.pid, base + 1, { startTicks: 1000, session: base + 1, pgid: base + 1 });
  assert.deepEqual(findTree(tableOf(daemon, other, early), { main, session: base + 1 }), [main.pid]);
});

test('zombies count on request only, the excluded never', () => {
  const zombie = entry(base + 11, main.pid, { startTicks: 1001, state: 'Z' });
  const table = tableOf(mainEntry, zombie, entry(base + 12, base + 11, { startTicks: 1002 }));
  assert.deepEqual(findTree(table, { main }), [main.pid, base + 12]);
  assert.deepEqual(findTree(table, { main, zombies: true }), [main.pid, base + 11, base + 12]);
  assert.deepEqual(findTree(table, { main, exclude: new Set([base + 12]) }), [main.pid]);
});

test('a cgroup lists its members whatever they did', (t) => {
  const cgroup = mkdtempSync(join(tmpdir(), 'stead-cgroup-'));
  t.after(() => rmSync(cgroup, { recursive: true }));
  mkdirSync(join(cgroup, 'inner'));
  writeFileSync(join(cgroup, 'cgroup.procs'), `${main.pid}\n${base + 30}\n`);
  writeFileSync(join(cgroup, 'inner/cgroup.procs'), `${base + 31}\n${base + 99}\n`);
  const apart = [30, 31].map((number) => entry(base + number, 1, { startTicks: 2000 + number }));
  const table = tableOf(mainEntry, ...apart, entry(base + 40, base + 31, { startTicks: 3000 }));
  assert.deepEqual(
    findTree(table, { main, cgroup, cookie: 'x' }),
    [10, 30, 31, 40].map((number) => base + number),
  );
  assert.deepEqual(findTree(table, { main, cgroup: join(cgroup, 'nosuch') }), [main.pid]);
});

test('a cookie counts as an entry of its own, not within another', () => {
  const holds = (environ: string) => holdsEntry(Buffer.from(environ), Buffer.from('STEAD_RUN_ID=abc'));
  assert.ok(holds('STEAD_RUN_ID=abc\0'));
  assert.ok(holds('A=1\0STEAD_RUN_ID=abc\0B=2\0'));
  assert.ok(holds('A=STEAD_RUN_ID=abc\0STEAD_RUN_ID=abc'));
  assert.ok(!holds('A=STEAD_RUN_ID=abc\0'));
  assert.ok(!holds('STEAD_RUN_ID=abcd\0'));
  assert.ok(!holds('XSTEAD_RUN_ID=abc\0'));
  assert.ok(!holds('A=\nSTEAD_RUN_ID=abc\0'));
  assert.ok(!holds(''));
});

const started: ChildProcess[] = [];
const escaped: number[] = [];
after(async () => {
  for (const pid of escaped) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {}
  }
  for (const child of started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('a program that forked twice into a session of its own is found by its cookie', async () => {
  const cookie = `test-${process.pid}`;
  const script = `setsid sh -c 'sleep 61 & echo $!' & sleep 62`;
  const child = spawn('/bin/sh', ['-c', script], {
    detached: true,
    env: { PATH: process.env.PATH, STEAD_RUN_ID: cookie, OTHER: `STEAD_RUN_ID=other` },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  const [line] = await once(child.stdout!, 'data');
  const pid = Number(String(line));
  escaped.push(pid);
  const startTicks = readProcess(child.pid!)!.startTicks;
  // The shell between them ends on its own: then nothing but the cookie leads to the sleep.
  const deadline = Date.now() + 10_000;
  while (readProcess(pid)?.ppid !== 1 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  const traces = { main: { pid: child.pid!, startTicks } };
  const without = findTree(readProcTable(), traces);
  const tree = findTree(readProcTable(), { ...traces, cookie });
  assert.ok(!without.includes(pid), 'found without its cookie');
  assert.ok(tree.includes(pid), 'not found by its cookie');
  assert.equal(tree[0], child.pid);
  for (const member of tree) escaped.push(member);
  assert.ok(hasCookie(pid, cookie));
  assert.equal(cookieOf(pid), cookie);
  assert.ok(!hasCookie(pid, 'other'));
  assert.equal(cookieOf(2 ** 22 + 1), null);
  assert.ok(!tree.includes(process.pid));
});

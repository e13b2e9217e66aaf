import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseStat, readProcess, readProcTable } from './proc-table.ts';
import { processLine } from './process-line.ts';

const root = mkdtempSync(join(tmpdir(), 'stead-proc-'));
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(root, { recursive: true });
});

test('this process is in the table, with what /proc says of it', () => {
  const entry = readProcTable().get(process.pid)!;
  assert.equal(entry.ppid, process.ppid);
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /s, '').split(' ').map(Number);
  assert.deepEqual([entry.pgid, entry.session, entry.startTicks], [fields[2], fields[3], fields[19]]);
  assert.ok(entry.rssPages > 1000);
  assert.ok(entry.threads > 1);
  assert.equal(readProcess(process.pid)?.startTicks, entry.startTicks);
  assert.equal(readProcess(2 ** 22 + 1), null);
});

test('any name, also with parentheses, spaces and line ends, leaves the numbers right', () => {
  const number = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(
      fc.string({ maxLength: 15 }),
      fc.array(number, { minLength: 49, maxLength: 49 }),
      fc.integer({ min: 1, max: 2 ** 22 }),
      (comm, numbers, pid) => {
        const signed = numbers.map((value, at) => ([4, 14, 15].includes(at) ? -value : value));
        const entry = parseStat(Buffer.from(`${pid} (${comm}) S ${signed.join(' ')}\n`));
        assert.deepEqual(entry, {
          pid,
          comm: Buffer.from(comm).toString(),
          state: 'S',
          ppid: signed[0],
          pgid: signed[1],
          session: signed[2],
          utimeTicks: signed[10],
          stimeTicks: signed[11],
          cutimeTicks: signed[12],
          cstimeTicks: signed[13],
          threads: signed[16],
          startTicks: signed[18],
          rssPages: signed[20],
        });
      },
    ),
  );
});

test('what is no stat line is null', () => {
  for (const text of ['', '1', '1 (x', '1 (x)', ') (', '12 x) S 1'])
    assert.equal(parseStat(Buffer.from(text)), null, text);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parseStat(Buffer.from(bytes)) !== undefined));
});

test('a program whose name looks like the end of a name is read right', async () => {
  const program = join(root, 'a) (b) S 1');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60'], { argv0: 'x\x1b[31m', stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  const entry = readProcTable().get(child.pid!)!;
  assert.equal(entry.comm, 'a) (b) S 1');
  assert.equal(entry.ppid, process.pid);
  assert.equal(processLine(child.pid!), 'x\\x1b[31m 60');
});

test('a process without a command line is shown by its name, one that is gone not at all', async () => {
  const child = spawn('/bin/sh', ['-c', 'exit 0 & exec sleep 60'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  const deadline = Date.now() + 10_000;
  const zombie = () => [...readProcTable().values()].find(({ ppid, state }) => ppid === child.pid && state === 'Z');
  while (zombie() === undefined && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert.match(processLine(zombie()!.pid)!, /^\[.+\]$/);
  assert.equal(processLine(2 ** 22 + 1), null);
});

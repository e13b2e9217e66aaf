import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { CpuMeter, uptimeMs } from './cpu.ts';
import { pageSize, pssOf, rssOf } from './memory.ts';
import { type ProcEntry, readProcess, readProcTable } from './proc-table.ts';

const entry = (pid: number, own: number, children = 0, startTicks = 100): ProcEntry =>
  ({
    pid,
    startTicks,
    utimeTicks: own,
    stimeTicks: 0,
    cutimeTicks: children,
    cstimeTicks: 0,
    rssPages: 1,
  }) as ProcEntry;
const sample = (nowMs: number, ...entries: ProcEntry[]) => ({
  table: new Map(entries.map((one) => [one.pid, one])),
  pids: entries.map(({ pid }) => pid),
  startTicks: 100,
  nowMs,
});

test('the first look tells the average of the run’s life, the next one what was used since', () => {
  const meter = new CpuMeter();
  assert.equal(meter.measure('a', sample(11_000, entry(1, 500))), 50);
  assert.equal(meter.measure('a', sample(12_000, entry(1, 525))), 25);
  assert.equal(meter.measure('a', sample(12_050, entry(1, 530))), 25, 'too soon for ticks of 10 ms');
  assert.equal(meter.measure('a', sample(50_000, entry(1, 4900))), 100, 'a look older than 30 s says nothing');
  assert.equal(meter.measure('b', sample(11_000, entry(1, 0))), 0);
  meter.forget('a');
  assert.equal(meter.measure('a', sample(51_000, entry(1, 500))), 10);
});

test('a child that ended counts what it used since the last look, and never less than nothing', () => {
  const meter = new CpuMeter();
  meter.measure('a', sample(10_000, entry(1, 100), entry(2, 300)));
  assert.equal(meter.measure('a', sample(11_000, entry(1, 110, 320))), 30, 'waited for: 10 + 20');
  meter.measure('b', sample(10_000, entry(1, 100), entry(2, 300)));
  assert.equal(meter.measure('b', sample(11_000, entry(1, 110))), 10, 'not waited for');
  meter.measure('c', sample(10_000, entry(1, 100), entry(2, 300)));
  assert.equal(
    meter.measure('c', sample(11_000, entry(1, 100), entry(2, 5, 0, 900))),
    5,
    'another process of that pid',
  );
});

test('whatever comes and goes, the measure is a number that is not negative', () => {
  const member = fc.record({
    pid: fc.integer({ min: 1, max: 5 }),
    own: fc.nat(1000),
    children: fc.nat(1000),
    start: fc.integer({ min: 100, max: 103 }),
  });
  const looks = fc.array(fc.array(member, { maxLength: 6 }), { maxLength: 6 });
  fc.assert(
    fc.property(looks, fc.array(fc.nat(40_000), { minLength: 6, maxLength: 6 }), (trees, times) => {
      const meter = new CpuMeter();
      trees.forEach((tree, at) => {
        const entries = tree.map(({ pid, own, children, start }) => entry(pid, own, children, start));
        const percent = meter.measure('a', sample(times[at]!, ...entries));
        assert.ok(percent >= 0 && Number.isFinite(percent), String(percent));
      });
    }),
  );
});

test('a program that works without rest measures near one core, with its memory', async () => {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  try {
    const { startTicks } = readProcess(child.pid!)!;
    const meter = new CpuMeter();
    const look = () => meter.measure('a', { table: readProcTable(), pids: [child.pid!], startTicks });
    look();
    const from = uptimeMs();
    const ticks = readProcess(child.pid!)!.utimeTicks;
    while (uptimeMs() - from < 1000) await new Promise((resolve) => setImmediate(resolve));
    const percent = look();
    const truth = ((readProcess(child.pid!)!.utimeTicks - ticks) * 1000) / (uptimeMs() - from);
    assert.ok(Math.abs(percent - truth) < 25, `${percent} % against ${truth} %`);
    const rss = rssOf(readProcTable(), [child.pid!, 2 ** 22 + 1]);
    assert.ok(rss > 20e6 && rss < 300e6, String(rss));
    assert.ok(pssOf([child.pid!])! > 1e6);
    assert.equal(pssOf([2 ** 22 + 1]), null);
    assert.ok([4096, 16384, 65536].includes(pageSize()));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

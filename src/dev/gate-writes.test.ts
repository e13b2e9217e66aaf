import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubtfulGates, GateWrites, mostGates } from './gate-writes.ts';

/** Gate n runs from n seconds on, for half a second. */
const gate = (runs: number) => ({ runs, began: runs * 1000, over: runs * 1000 + 500 });
const change = (...paths: string[]) => ({ paths, count: paths.length });
const during = (writes: GateWrites, run: number, ...paths: string[]) =>
  writes.judge(change(...paths), run * 1000 + 100, gate(run));

test('what changes in one gate after the other is left out while a gate runs, and named once', () => {
  const writes = new GateWrites();
  for (let run = 1; run < mostGates; run++) {
    const { isLeftOut, isPutOff } = during(writes, run, 'gen.json');
    assert.deepEqual([isLeftOut, isPutOff], [false, run >= doubtfulGates]);
  }
  assert.deepEqual(during(writes, mostGates, 'gen.json'), { isLeftOut: true, isPutOff: false, fresh: ['gen.json'] });
  assert.deepEqual(during(writes, mostGates + 1, 'gen.json'), { isLeftOut: true, isPutOff: false, fresh: [] });
  assert.equal(during(writes, mostGates + 1, 'gen.json', 'a.ts').isLeftOut, false);
  const after = gate(mostGates + 1);
  assert.equal(writes.judge(change('gen.json'), after.over + 400, after).isLeftOut, false);
});

test('a gate in which it does not change ends that', () => {
  const writes = new GateWrites();
  for (const run of [1, 2, 3, 4]) during(writes, run, 'a.ts');
  assert.equal(during(writes, 6, 'a.ts').isPutOff, false);
  for (const run of [7, 8]) during(writes, run, run === 7 ? 'b.ts' : 'a.ts');
  assert.equal(during(writes, 9, 'a.ts').isPutOff, false);
});

test('nothing is left out before the first gate', () => {
  const writes = new GateWrites();
  const none = { runs: 0, began: Number.NaN, over: Number.NaN };
  for (let time = 0; time < 5; time++) assert.equal(writes.judge(change('a.ts'), time, none).isLeftOut, false);
});

/** The entry file, on systems that stead is not for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { execute } from '../support/stead.ts';

const loadAs = (change: string) => execute(process.execPath, ['-e', `${change}; require(${JSON.stringify(steadBin)})`]);
const set = (object: string, key: string, value: string) =>
  `Object.defineProperty(${object}, '${key}', { value: '${value}' })`;

test('on another system or an old Node it says one sentence and exits with 5', async () => {
  const cases = [
    [set('process', 'platform', 'darwin'), 'stead runs on Linux only; this is darwin.'],
    [set('process', 'platform', 'win32'), 'stead runs on Linux only; this is win32.'],
    [set('process.versions', 'node', '20.18.3'), 'stead needs Node.js 20.19 or newer; this is 20.18.3'],
    [set('process.versions', 'node', '12.22.12'), 'stead needs Node.js 20.19 or newer; this is 12.22.12'],
  ] as const;
  for (const [change, sentence] of cases) {
    const { code, stdout, stderr } = await loadAs(change);
    assert.deepEqual([code, stdout], [5, '']);
    assert.ok(stderr.startsWith(sentence), stderr);
    assert.equal(stderr.split('\n').length, 2);
  }
});

test('the entry file has no syntax that Node 12 does not know', () => {
  assert.ok(!/\?\?|\?\.|#[a-z]|\bcatch \{|\bimport\b|\bawait\b|\|\|=|&&=/.test(readFileSync(steadBin, 'utf8')));
});

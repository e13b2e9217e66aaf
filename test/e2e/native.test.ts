import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadKoffi } from '../../src/host/native.ts';
import { Stead } from '../support/stead.ts';

test('koffi lies beside the daemon in its home, loads from there, and a daemon that needs it not does not load it', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  const { pid } = await stead.daemon();
  const library = join(stead.home, 'lib', readdirSync(join(stead.home, 'lib'))[0]!);
  const file = join(library, 'koffi.node');
  assert.match(loadKoffi(join(library, 'daemon.cjs')).version, /^3\./);
  // This process has it from there, not from the package.
  assert.ok(readFileSync('/proc/self/maps', 'utf8').includes(file));
  assert.ok(!readFileSync(`/proc/${pid}/maps`, 'utf8').includes('koffi'));

  // One that lacks it, as when it was installed without the optional packages, gets it with the next daemon.
  rmSync(file);
  await stead.ok(['daemon', 'restart']);
  assert.deepEqual(
    readdirSync(library).filter((name) => name.startsWith('koffi')),
    ['koffi.node'],
  );
});

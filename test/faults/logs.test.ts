import { test } from 'node:test';
import { Stead } from '../support/stead.ts';
import { logRotation } from './harness/log-rotation.ts';

test('lines at full speed, rotation, followers, the daemon killed: each line once over archives and file, and once in each follower', async (t) => {
  await logRotation(new Stead(t), { lines: 300_000, kills: 3, seed: 5, maxSize: '2M' });
});

import { test } from 'node:test';
import { Stead } from '../support/stead.ts';
import { launcherKills } from './harness/launcher-kills.ts';
import { concurrent, storm } from './harness/storm.ts';
import { hasStrace, syscalls } from './harness/syscalls.ts';

test('twenty clients and a daemon that is killed under them: what was acknowledged is what is there', async (t) => {
  await storm(new Stead(t), { seconds: 5, kills: 2, seed: 11 });
});

test('launchers killed in their first milliseconds: no double run, none without a record', async (t) => {
  await launcherKills(new Stead(t), { starts: 10, seed: 3 });
});

test('fifty first commands at once: one daemon, one app', async (t) => {
  await concurrent(new Stead(t), { rounds: 1 });
});

test('the daemon dies at a system call of a start, a restart, a stop', {
  skip: !hasStrace() && 'strace is not installed',
}, async (t) => {
  await syscalls(new Stead(t), { most: 1 });
});

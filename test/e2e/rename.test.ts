/** Another name for what runs: it runs on, and nothing of it is lost. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

test('an app is renamed while it runs: same pid, log, exit code, also over a restart of the daemon', async (t) => {
  const stead = new Stead(t);
  const program = 'echo first; while [ ! -e end ]; do sleep 0.05; done; echo last; exit 4';
  await stead.ok(['run', '--name', 'old', '--', '/bin/sh', '-c', program]);
  const pid = await stead.pid('old');
  await stead.ok(['rename', 'old', 'new']);
  assert.equal(await stead.pid('new'), pid);
  assert.equal((await stead.run(['show', 'old'])).code, 3);
  const taken = await stead.run(['start', '--name', 'old', '--', '/bin/sleep', '300']);
  assert.equal(taken.code, 5);
  assert.match(taken.stderr, /"new" was started as "old"/);
  const { pid: daemon, guardian } = await stead.daemon();
  for (const victim of [guardian!, daemon!]) process.kill(victim, 'SIGKILL');
  await stead.ok(['signal', 'CONT', 'new']);
  assert.equal(await stead.pid('new'), pid);
  await stead.ok(['rename', 'new', 'newer']);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(stead.directory, 'end'), '');
  const { exits, logs } = await stead.until('newer', 'its end', ({ state }) => state === 'failed');
  assert.equal(exits[0]!.code, 4);
  assert.equal(readFileSync(logs.out, 'utf8'), 'first\nlast\n');
  assert.match(logs.out, /logs\/newer\//);
  await waitFor('the old names are free', () => !existsSync(join(stead.home, 'apps', 'old')));
  await stead.ok(['start', '--name', 'old', '--', '/bin/sleep', '300']);
  assert.match((await stead.run(['rename', 'old', 'newer'])).stderr, /an app called "newer" already/);
  assert.equal((await stead.run(['rename', 'old', 'a/b'])).code, 5);
  await stead.ok(['rename', 'old', 'last']);
  await stead.ok(['stop', 'last']);
  await stead.ok(['delete', 'last']);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';

const sleeper = ['--', 'sleep', '1000'];
const contentOf = (directory: string) =>
  Object.fromEntries(
    readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(directory, name), 'utf8')]),
  );

test('a state that was cut off while no daemon was there: its program is taken over all the same, and the log says so', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.home, 'apps/web/state.json');
  await stead.ok(['start', '--name', 'web', ...sleeper]);
  await stead.ok(['stop', 'web']);
  await stead.ok(['start', 'web']);
  await stead.ok(['start', '--name', 'other', ...sleeper]);
  const [web, other] = [await stead.pid('web'), await stead.pid('other')];
  await stead.ok(['daemon', 'stop']);
  for (const damage of [readFileSync(file, 'utf8').slice(0, 100), '', '[]', '\0'.repeat(400)]) {
    writeFileSync(file, damage);
    await stead.ok(['daemon', 'restart']);
    assert.deepEqual([await stead.pid('web'), await stead.pid('other')], [web, other]);
    await stead.ok(['daemon', 'stop']);
  }
  assert.match(readFileSync(join(stead.home, 'daemon.log'), 'utf8'), /web: .*state\.json: .*; moved aside/);
});

test('a state that is lost altogether: what runs is known by its records, and ends when told', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', ...sleeper]);
  await stead.ok(['start', '--name', 'died', ...sleeper]);
  const [web, died] = [await stead.pid('web'), await stead.pid('died')];
  await stead.ok(['daemon', 'stop']);
  for (const name of ['web', 'died']) writeFileSync(join(stead.home, 'apps', name, 'state.json'), '');
  process.kill(died, 'SIGKILL');
  await stead.ok(['daemon', 'restart']);
  assert.equal(await stead.pid('web'), web);
  const { exits } = await stead.until('died', 'its restart', ({ instances }) => instances[0]!.restarts === 1);
  assert.equal(exits.at(-1)!.signal, 'SIGKILL');
  assert.notEqual(await stead.pid('died'), died);
  const ids = (await stead.list()).map(({ id }) => id);
  assert.equal(new Set(ids).size, 2);
  await stead.ok(['stop', 'all']);
  assert.ok(!isRunning(web));
});

test('a spec that is garbled: the generation before it, written with the first one, is taken', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', ...sleeper]);
  const pid = await stead.pid('web');
  await stead.ok(['daemon', 'stop']);
  writeFileSync(join(stead.home, 'apps/web/spec.json'), '{bad');
  await stead.ok(['daemon', 'restart']);
  assert.deepEqual([await stead.pid('web'), (await stead.show('web')).spec.program.words], [pid, ['sleep', '1000']]);
});

test('a spec that is lost altogether: what runs is listed and supervised as if adopted; what does not can only be deleted', async (t) => {
  const stead = new Stead(t);
  for (const name of ['web', 'idle']) await stead.ok(['start', '--name', name, ...sleeper]);
  await stead.ok(['stop', 'idle']);
  const pid = await stead.pid('web');
  await stead.ok(['daemon', 'stop']);
  for (const name of ['web', 'idle'])
    for (const file of ['spec.json', 'spec.json.prev'])
      writeFileSync(join(stead.home, 'apps', name, file), file === 'spec.json' ? '{bad' : '');
  assert.deepEqual(
    (await stead.list()).map(({ name, state }) => [name, state]),
    [
      ['web', 'running'],
      ['idle', 'failed'],
    ],
  );
  await stead.ok(['daemon', 'restart']);
  assert.equal(await stead.pid('web'), pid);
  process.kill(pid, 'SIGKILL');
  await stead.until('web', 'its restart', ({ instances }) => instances[0]!.pid !== null && instances[0]!.pid !== pid);
  assert.match((await stead.show('idle')).reason ?? '', /spec\.json could not be read/);
  for (const words of [
    ['start', 'idle'],
    ['restart', 'idle'],
    ['start', '--name', 'idle', ...sleeper],
  ]) {
    const { code, stderr } = await stead.run(words);
    assert.deepEqual([code, /stead delete idle/.test(stderr)], [1, true], stderr);
  }
  assert.match((await stead.run(['doctor'])).stdout, /idle.*spec\.json.* did not parse and was moved aside/);
  await stead.ok(['delete', 'idle']);
  await stead.ok(['start', '--name', 'idle', ...sleeper]);
  const again = await stead.pid('web');
  await stead.ok(['stop', 'all']);
  assert.ok(!isRunning(again));
});

test('an app that a newer stead keeps is left alone by the daemon, by a start, an adoption and a delete of all', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', ...sleeper]);
  await stead.ok(['start', '--name', 'other', ...sleeper]);
  const pid = await stead.pid('web');
  await stead.ok(['daemon', 'stop']);
  const directory = join(stead.home, 'apps/web');
  writeFileSync(join(directory, 'state.json'), '{"format":4}');
  const before = contentOf(directory);

  await stead.ok(['daemon', 'restart']);
  assert.deepEqual(
    (await stead.list()).map(({ name }) => name),
    ['other'],
  );
  assert.match(
    readFileSync(join(stead.home, 'daemon.log'), 'utf8'),
    /has format 4, this version reads 3; left as it is/,
  );
  for (const [verb, exit] of [
    ['start', 5],
    ['run', 125],
  ] as const) {
    const { code, stderr } = await stead.run([verb, '--name', 'web', ...sleeper]);
    assert.deepEqual([code, /newer stead/.test(stderr)], [exit, true], stderr);
  }
  const stray = spawn('sleep', ['1000'], { env: stead.env, stdio: 'ignore' });
  assert.equal((await stead.run(['adopt', String(stray.pid), '--name', 'web'])).code, 5);
  await stead.ok(['delete', 'all']);
  assert.deepEqual(contentOf(directory), before);
  assert.ok(isRunning(pid));
});

/** dump and resurrect: one file brings all apps up again, elsewhere too; twice is as once. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApplyResponse } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';

/** What counts of a spec. */
const essence = async (stead: Stead, name: string) => {
  const { spec, want, state } = await stead.show(name);
  const { env, ...rest } = spec;
  return { ...rest, env: [...env].sort(), want, state };
};

test('a dump brings up in another home what was there, stopped or not, with all that was said of it; twice is as once', async (t) => {
  const [here, there] = [new Stead(t), new Stead(t)];
  const cwd = here.folder('p');
  writeFileSync(join(cwd, 'web.js'), 'setInterval(() => {}, 1e3)');
  await here.ok(['start', 'web.js', '-e', 'A=1', '--stop-timeout', '3s', '-i', '2', '--', '--port', '80'], {
    cwd,
    env: { SEEN: 'by the caller' },
  });
  await here.ok(['start', '--name', 'shell', '--umask', '027', '--', 'sh', '-c', 'sleep 1000 # a b']);
  await here.ok(['start', 'sleep 999 && true', '--name', 'line']);
  writeFileSync(join(cwd, 'stead.config.json'), JSON.stringify({ apps: { db: { command: ['sleep', '1000'] } } }));
  await here.ok(['apply'], { cwd });
  await here.ok(['run', '--name', 'over', 'true']);
  await here.ok(['wait', 'over']);
  await here.ok(['stop', 'line']);
  const names = ['web', 'shell', 'line', 'db'];
  const before = await Promise.all(names.map((name) => essence(here, name)));
  const file = join(here.directory, 'apps.json');
  await here.ok(['dump', file]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  // Without a daemon the same is dumped.
  await here.ok(['daemon', 'stop']);
  const { createdAt: _, ...dumped } = JSON.parse((await here.ok(['dump', '-'])).stdout);
  const { createdAt: __, ...first } = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(dumped, first);

  await there.ok(['resurrect', file], { env: { SEEN: 'by another' } });
  const list = await there.list();
  assert.deepEqual(
    list.map(({ name, state }) => [name, state]),
    [
      ['web', 'running'],
      ['shell', 'running'],
      ['line', 'stopped'],
      ['db', 'running'],
    ],
  );
  assert.equal(list[0]!.instances.length, 2);
  const environ = readFileSync(`/proc/${list[0]!.instances[0]!.pid}/environ`, 'latin1').split('\0');
  assert.ok(environ.includes('SEEN=by the caller') && environ.includes('A=1'));
  assert.deepEqual(await Promise.all(names.map((name) => essence(there, name))), before);
  const pids = list.map(({ instances }) => instances.map(({ pid }) => pid));
  await there.ok(['stop', 'shell']);
  const again = await there.json<ApplyResponse>(['resurrect', file]);
  assert.deepEqual([...new Set(again.apps.map(({ change }) => change))], ['same']);
  const now = await there.list();
  assert.deepEqual(
    now.map(({ state }) => state),
    ['running', 'running', 'stopped', 'running'],
  );
  assert.deepEqual(
    now[0]!.instances.map(({ pid }) => pid),
    pids[0],
  );
  assert.equal(now.length, 4);
  // The config file knows its app again.
  assert.match((await there.ok(['apply'], { cwd })).stdout, /^db: as it was/m);
});

test('what can’t be brought up holds up no other; a broken dump gives way to the one before, a later one is refused', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'a', '--', 'sleep', '1000']);
  await stead.ok(['start', '--name', 'gone', '--cwd', stead.folder('gone'), '--', 'sleep', '1000']);
  await stead.ok(['dump']);
  await stead.ok(['dump']);
  await stead.ok(['delete', 'all']);
  rmSync(join(stead.directory, 'gone'), { recursive: true });
  const file = join(stead.home, 'dump.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, 100));
  const { code, stdout, stderr } = await stead.run(['resurrect']);
  assert.equal(code, 5);
  assert.match(stderr, /is broken: the one before it is taken/);
  assert.match(stdout, /^a: new; running/m);
  assert.match(stderr, /working directory .*gone.* does not exist/);
  assert.deepEqual(
    (await stead.list()).map(({ name }) => name),
    ['a'],
  );
  writeFileSync(file, text.replace('"format": 1', '"format": 2').replace(/"version": "[^"]*"/, '"version": "9.0.0"'));
  const later = await stead.run(['resurrect']);
  assert.equal(later.code, 7);
  assert.match(later.stderr, /was written by stead 9\.0\.0, a later one/);
  rmSync(`${file}.prev`);
  for (const bad of [
    '',
    '{}',
    '[]',
    'null',
    '{"stead":"dump","format":1}',
    '{"stead":"dump","format":1,"apps":[{}]}',
  ]) {
    writeFileSync(file, bad);
    const refused = await stead.run(['resurrect']);
    assert.ok([2, 5].includes(refused.code!), `${bad}: ${refused.code} ${refused.stderr}`);
  }
  assert.equal((await stead.run(['resurrect', 'no-such'])).code, 5);
});

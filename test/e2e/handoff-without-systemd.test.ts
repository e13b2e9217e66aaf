/** What handoff, takeback and run --systemd say where there is no systemd, and what the daemon holds to of an app that is systemd's. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { request } from '../../src/client/http.ts';
import type { AppView, Keeper } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';

const noSystemd = existsSync('/run/systemd/system') ? 'this machine runs systemd' : false;

test('without systemd it is said, and nothing is changed', { skip: noSystemd }, async (t) => {
  const world = new Stead(t);
  await world.ok(['start', '--name', 'web', '--', 'sleep', '1000']);
  for (const words of [
    ['handoff', 'web'],
    ['run', '--systemd', '--', 'true'],
  ]) {
    const { code, stderr } = await world.run(words);
    // What run itself fails of has a code of its own.
    assert.equal(code, words[0] === 'run' ? 125 : 5, stderr);
    assert.match(stderr, /This machine does not run systemd/);
  }
  const { code, stderr } = await world.run(['takeback', 'web']);
  assert.equal(code, 1);
  assert.match(stderr, /systemd does not keep "web": it is stead's/);
  const [app, ...others] = JSON.parse((await world.ok(['list', '--json'])).stdout) as readonly AppView[];
  assert.deepEqual([app!.state, app!.keeper, others.length], ['running', null, 0]);
  assert.match((await world.ok(['handoff', 'web', '--dry-run', '--user'])).stdout, /^ExecStart=\S+sleep 1000$/m);
});

test("what is systemd's is started by nothing of stead: not by a config, a dump, what needs it, or the next daemon", async (t) => {
  const world = new Stead(t);
  const config = join(world.directory, 'stead.config.json');
  const db = { name: 'db', command: ['sleep', '1000'] };
  writeFileSync(
    config,
    JSON.stringify({ apps: [db, { name: 'web', command: ['sleep', '1001'], depends_on: 'db:started' }] }),
  );
  await world.ok(['apply', config]);
  const keeper: Keeper = {
    ...{ by: 'systemd', scope: 'system', main: 'db.service', services: ['db.service'], isWanted: true },
    ...{ sockets: [], triggers: [], files: [], keys: [] },
  };
  await request(world.home, 'handoff', { body: { app: 'db', step: 'give', keeper } });
  const stateOfDb = async () => {
    const apps = await request(world.home, 'list');
    const { state, want, keeper: kept } = apps.find(({ name }) => name === 'db')!;
    return [state, want, kept?.main];
  };
  const expected = ['stopped', 'stopped', 'db.service'];
  assert.deepEqual(await stateOfDb(), expected);
  writeFileSync(
    config,
    JSON.stringify({
      apps: [
        { ...db, nice: 1 },
        { name: 'web', command: ['sleep', '1001'] },
      ],
    }),
  );
  const { stderr } = await world.ok(['apply', config]);
  assert.match(stderr, /systemd keeps db \(db\.service\): it is left as it is/);
  assert.deepEqual(await stateOfDb(), expected);
  const dump = join(world.directory, 'dump.json');
  await world.ok(['dump', dump]);
  await world.ok(['resurrect', dump]);
  await world.ok(['restart', 'web']);
  assert.deepEqual(await stateOfDb(), expected);
  await world.ok(['daemon', 'restart']);
  assert.deepEqual(await stateOfDb(), expected);
  for (const words of [
    ['scale', 'db', '2'],
    ['set', 'db', 'nice=1'],
    ['rename', 'db', 'other'],
    ['reload', 'db'],
  ]) {
    const { code, stderr: said } = await world.run(words);
    assert.equal(code, 5, `${words.join(' ')}: ${said}`);
    assert.match(said, /systemd keeps "db" \(db\.service\)/);
  }
  const { stderr: left } = await world.ok(['delete', 'db']);
  assert.match(left, /systemd keeps db\.service on.*systemctl disable --now db\.service/);
});

test('logs of what prints to the journal are shown by journalctl, with the same options', async (t) => {
  const world = new Stead(t);
  await world.ok(['start', '--name', 'web', '--', 'sh', '-c', 'echo before; exec sleep 1000']);
  const keeper: Keeper = {
    ...{
      by: 'systemd',
      scope: 'user',
      main: 'web.target',
      services: ['web@0.service', 'web@1.service'],
      isWanted: true,
    },
    ...{ sockets: [], triggers: [], files: [], keys: [] },
  };
  await request(world.home, 'handoff', { body: { app: 'web', step: 'give', keeper } });
  const folder = world.folder('bin');
  const script = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script('journalctl', `printf '%s\\n' "$@"`);
  script('systemctl', 'echo journal');
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const shown = await world.ok(['logs', 'web', '-n', '5', '--grep', 'a b', '-i', '--since', '2026-01-02'], { env });
  const words = shown.stdout.trim().split('\n');
  for (const word of [
    '--user',
    '--lines=5',
    '--grep=a b',
    '--case-sensitive=no',
    '--unit=web@0.service',
    '--unit=web@1.service',
  ])
    assert.ok(words.includes(word), `${word} of ${words}`);
  assert.ok(
    words.some((word) => /^--since=@\d+\.\d{3}$/.test(word)),
    shown.stdout,
  );
  assert.ok(!words.includes('--follow'));
  // Where systemd does not answer, what stead itself has.
  script('systemctl', 'exit 1');
  assert.match((await world.ok(['logs', 'web'], { env })).stdout, /before\n$/);
});

/** Config files: applied whole or not at all, twice without effect, and what changed is started again. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppDetail, ApplyResponse, EventView } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const pids = async (stead: Stead) =>
  Object.fromEntries((await stead.list()).map(({ name, instances }) => [name, instances[0]!.pid]));

test('new, changed, the same, no longer there: each is dealt with, and said', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'stead.config.yaml');
  const write = (text: string) => writeFileSync(file, text);
  write(`
defaults: { stop_timeout: 5s }
apps:
  a: { command: [sleep, "100"], env: { X: 1 } }
  b: { command: [sleep, "100"], group: g }
`);
  const dry = await stead.json<ApplyResponse>(['apply', '--dry-run']);
  assert.deepEqual(
    dry.apps.map(({ name, change }) => [name, change]),
    [
      ['a', 'new'],
      ['b', 'new'],
    ],
  );
  assert.deepEqual(await stead.list(), []);
  await stead.ok(['apply']);
  const first = await pids(stead);
  // Another shell, another environment: that is no change.
  const again = await stead.json<ApplyResponse>(['apply'], { env: { OTHER: 'shell' } });
  assert.deepEqual(
    again.apps.map(({ change }) => change),
    ['same', 'same'],
  );
  assert.deepEqual(await pids(stead), first);

  write(`
defaults: { stop_timeout: 5s }
apps:
  a: { command: [sleep, "100"], env: { X: 2 } }
  c: { command: [sleep, "100"], autostart: false }
`);
  const { stdout, stderr } = await stead.ok(['start', 'stead.config.yaml']);
  assert.match(stdout, /^a: changed; running, pid \d+\n {4}env: X changed$/m);
  assert.match(stdout, /^c: new; stopped$/m);
  assert.match(stderr, /b is no longer in this file, and goes on as it is: stead apply --prune, or stead delete b/);
  const now = await pids(stead);
  assert.notEqual(now.a, first.a);
  assert.equal(now.b, first.b);
  assert.ok(readFileSync(`/proc/${now.a}/environ`, 'latin1').split('\0').includes('X=2'));

  // What holds for a run that goes on ends none.
  write(`
defaults: { stop_timeout: 7s, restart: on-failure, log: { max_size: 1M } }
apps:
  a: { command: [sleep, "100"], env: { X: 2 } }
`);
  assert.match(
    (await stead.ok(['apply'])).stdout,
    /^a: changed; running, pid \d+\n {4}stop_timeout: 5s → 7s\n {4}restart: not said → on-failure\n {4}log_max_size: not said → 1M$/m,
  );
  assert.deepEqual([(await pids(stead)).a, (await stead.show('a')).spec.log.maxSize], [now.a, 1024 * 1024]);
});

test('one mistake refuses the whole file; what runs goes on', async (t) => {
  const stead = new Stead(t);
  const file = join(stead.directory, 'x.yaml');
  const apps = (more: string) =>
    writeFileSync(file, `apps:\n  - { name: a, command: [sleep, "100"], stop_timeout: 5s }\n${more}`);
  apps('');
  await stead.ok(['apply', 'x.yaml']);
  const before = await pids(stead);
  for (const [more, expected] of [
    ['  - { name: b, script: nowhere.js }\n', /nowhere\.js/],
    ['  - { name: b, command: [sleep], depends_on: zzz }\n', /"b" needs "zzz"/],
    ['  - { name: b, command: [sleep], user: nosuchuser }\n', /no user "nosuchuser"/],
    ['  - { name: b, command: [sleep], cron: "61 * * * *" }\n', /--cron: "61/],
    ['  - { name: "../b", command: [sleep] }\n', /name/i],
    ['  - { name: b, comand: [sleep] }\n', /line 3: there is no "comand"; did you mean "command"\?/],
    ['  - { name: b, command: [sleep], ready: "log:(" }\n', /log:/],
  ] as const) {
    apps(more.replace('command: [sleep]', 'command: [sleep, "100"]'));
    const { code, stderr } = await stead.run(['apply', 'x.yaml']);
    assert.ok(code !== 0, more);
    assert.match(stderr, expected);
    assert.deepEqual(await pids(stead), before, more);
  }
  const unknown = await stead.run(['apply', 'nothing.yaml']);
  assert.equal(unknown.code, 5);
  assert.match(unknown.stderr, /There is no file "nothing\.yaml"/);
});

test('set and unset: whole or not at all, kept over a death of the daemon', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const refused = await stead.run(['set', 'web', 'stop_timeout=5s', 'ready=port:0']);
  assert.equal(refused.code, 2);
  assert.equal((await stead.show('web')).spec.stopTimeoutMs, 10_000);
  assert.match((await stead.run(['set', 'web', 'stop_timout=5s'])).stderr, /did you mean stop_timeout\?/);
  assert.match((await stead.run(['set', 'web', 'name=x'])).stderr, /can't be changed/);
  const { stderr } = await stead.ok(['set', 'web', 'stop_timeout=5s', 'ready=exec:true', 'on=fail=true']);
  assert.match(stderr, /web runs on as it is; from its next start: stead restart web/);
  process.kill((await stead.daemon()).pid!, 'SIGKILL');
  const { spec } = await waitFor('the daemon', () => stead.json<AppDetail>(['show', 'web']));
  assert.deepEqual(
    [spec.stopTimeoutMs, spec.ready, spec.hooks],
    [5000, { kind: 'exec', command: 'true' }, { fail: 'true' }],
  );
  await stead.ok(['unset', 'web', 'stop_timeout', 'ready', 'on']);
  const back = (await stead.show('web')).spec;
  assert.deepEqual([back.stopTimeoutMs, back.ready, back.hooks, back.options], [10_000, null, {}, { name: 'web' }]);
});

test('the stream of events over the API: resumed by Last-Event-ID, nothing twice', async (t) => {
  const stead = new Stead(t);
  await stead.ok(['start', '--name', 'web', '--', 'sleep', '100']);
  const socketPath = join(stead.home, 'stead.sock');
  const collect = (headers: Record<string, string>, until: (events: readonly EventView[]) => boolean) =>
    new Promise<EventView[]>((resolve, reject) => {
      const events: EventView[] = [];
      const request = get(
        { socketPath, path: '/v1/events', headers: { accept: 'text/event-stream', ...headers } },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
            for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
              const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
              text = text.slice(end + 2);
              if (data) events.push(JSON.parse(data));
            }
            if (!until(events)) return;
            request.destroy();
            resolve(events);
          });
        },
      );
      request.on('error', reject);
    });
  const first = await collect({ 'last-event-id': '0' }, (events) => events.some(({ type }) => type === 'ready'));
  const following = collect({ 'last-event-id': String(first.at(-1)!.id) }, (events) =>
    events.some(({ type }) => type === 'stop'),
  );
  await stead.ok(['stop', 'web']);
  const second = await following;
  assert.deepEqual(
    [...first, ...second].map(({ id }) => id),
    [...first, ...second].map((_, at) => first[0]!.id + at),
  );
  assert.deepEqual(
    second.map(({ type }) => type),
    ['exit', 'stop'],
  );
});

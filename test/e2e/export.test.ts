/** stead export: what runs, written for other tools, and back as a config file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import type { AppSpec } from '../../src/protocol/spec.ts';
import { checkedManifests } from '../support/kubernetes-manifests.ts';
import { checkNomadJob } from '../support/nomad-schema.ts';
import { freePort } from '../support/ports.ts';
import { Stead } from '../support/stead.ts';
import type { Cleanup } from '../support/temporary.ts';

/** A web app that shares a port, a worker that depends on it, and a job at night. */
async function threeApps(t: Cleanup): Promise<{ readonly stead: Stead; readonly port: number }> {
  const stead = new Stead(t);
  const port = await freePort();
  const file = (name: string, text: string) => writeFileSync(join(stead.directory, name), text);
  file('server.js', `require('http').createServer((q, s) => s.end('ok')).listen(${port})`);
  file('token', 'hush-token\n');
  file(
    'stead.config.yaml',
    `apps:
  web:
    script: server.js
    instances: 2
    listen: [${port}]
    env: { GREETING: 'a "b" $c %d', API_KEY: hush-key }
    secret: { TOKEN: file:token }
    limit: { nofile: 512:1024 }
    umask: "027"
    ready: http://localhost:${port}/
    stop_timeout: 5s
  worker: { command: [sleep, "1000"], depends_on: { web: ready }, restart: on-failure, env: { A: 1 } }
  nightly: { job: true, command: "echo 'it is night' | cat", cron: "0 3 * * 1-5", timezone: Europe/Zurich }
`,
  );
  await stead.ok(['apply']);
  return { stead, port };
}

const specs = (stead: Stead): Record<string, AppSpec> =>
  Object.fromEntries(
    ['web', 'worker', 'nightly'].map((name) => [
      name,
      JSON.parse(readFileSync(join(stead.home, 'apps', name, 'spec.json'), 'utf8')) as AppSpec,
    ]),
  );

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('exported, deleted and applied again the apps are the same', async (t) => {
  const { stead } = await threeApps(t);
  const before = specs(stead);
  await stead.ok(['run', '--name', 'once', '--', 'true']);
  await stead.until('once', 'ended', ({ state }) => state === 'completed');
  const { stderr } = await stead.ok(['export', '--with-secrets', '-o', 'again.yaml']);
  assert.match(stderr, /^Jobs that have ended are left out: once\./m);
  const text = readFileSync(join(stead.directory, 'again.yaml'), 'utf8');
  assert.equal(modeOf(join(stead.directory, 'again.yaml')), 0o600);
  assert.match(text, /^ {4}script: server\.js$/m);
  assert.ok(!text.includes(stead.directory), 'paths are relative to the file');
  await stead.ok(['delete', 'all']);
  await stead.ok(['apply', 'again.yaml']);
  const origin = join(stead.directory, 'again.yaml');
  for (const [name, spec] of Object.entries(specs(stead))) assert.deepEqual(spec, { ...before[name]!, origin }, name);
});

test('each kind is read by whom it is for, with a daemon and without', async (t) => {
  const { stead, port } = await threeApps(t);
  const path = (name: string) => join(stead.directory, name);
  const read = (name: string) => readFileSync(path(name), 'utf8');

  const { stdout: pm2 } = await stead.ok(['export', 'pm2']);
  const module = { exports: {} as { apps: Record<string, unknown>[] } };
  new Script(pm2).runInNewContext({ module });
  const [web, worker, nightly] = module.exports.apps;
  assert.deepEqual([web!.name, web!.instances, web!.exec_mode, web!.kill_timeout], ['web', 2, 'cluster', 5000]);
  assert.deepEqual([worker!.interpreter, nightly!.cron_restart], ['none', '0 3 * * 1-5']);

  await stead.ok(['daemon', 'stop']);
  const { stdout: procfile } = await stead.ok(['export', 'procfile', 'worker']);
  assert.match(procfile, /^worker: cd \S+ && A=1 exec \S+\/sleep 1000$/m);

  await stead.ok(['export', 'systemd', '-o', 'units']);
  const units = readdirSync(path('units')).sort();
  assert.deepEqual(units, [
    'nightly.service',
    'nightly.timer',
    'stead-listen.cjs',
    'web.socket',
    'web.target',
    'web@.service',
    'worker.service',
  ]);
  assert.equal(modeOf(path('units/web@.service')), 0o600);
  assert.match(read('units/web@.service'), /^LimitNOFILE=512:1024$/m);
  assert.match(read('units/web.socket'), new RegExp(`^ListenStream=${port}$`, 'm'));
  assert.match(read('units/worker.service'), /^Requires=web\.target$/m);
  if (existsSync('/usr/bin/systemd-analyze')) {
    const files = units.filter((name) => !name.endsWith('.cjs')).map((name) => path(`units/${name}`));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  } else console.log('skipped: units of real apps are read by systemd-analyze: it is not here');

  await stead.ok(['export', 'kubernetes', '--with-secrets', '-o', 'k8s/']);
  assert.deepEqual(
    checkedManifests(read('k8s/kubernetes.yaml')).map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    [
      'ConfigMap/web-env',
      'Deployment/web',
      'Service/web',
      'ConfigMap/worker-env',
      'Deployment/worker',
      'CronJob/nightly',
    ],
  );
  assert.match(read('k8s/web.Dockerfile'), /^USER 1000:1000$/m);

  const { stderr } = await stead.ok(['export', 'nomad', '-o', 'nomad']);
  assert.match(stderr, /^web: its secrets are variables of Nomad: nomad var put nomad\/jobs\/web TOKEN=@/m);
  for (const name of ['web', 'worker', 'nightly']) checkNomadJob(JSON.parse(read(`nomad/${name}.nomad.json`)));

  const all = [
    pm2,
    procfile,
    ...['units', 'k8s', 'nomad'].flatMap((folder) =>
      readdirSync(path(folder)).map((name) => read(`${folder}/${name}`)),
    ),
  ];
  for (const text of all) assert.doesNotMatch(text, /hush-/);
});

test('what can go wrong is refused in words, and nothing is written over', async (t) => {
  const stead = new Stead(t);
  assert.equal((await stead.run(['export'])).code, 3);
  assert.ok(!existsSync(stead.home), 'reading makes no home');
  await stead.ok(['start', '--name', 'a', '--', 'sleep', '1000']);
  await stead.ok(['start', '--name', 'b', '-e', 'X=\u001b', '--', 'sleep', '1000']);
  assert.equal((await stead.run(['export', 'systemd', 'zzz'])).code, 3);
  const several = await stead.run(['export', 'systemd']);
  assert.deepEqual([several.code, /These are 2 files: a\.service, b\.service/.test(several.stderr)], [2, true]);
  const taken = join(stead.directory, 'a.service');
  writeFileSync(taken, 'mine');
  for (const output of ['a.service', '.']) {
    const refused = await stead.run(['export', 'systemd', 'a', '-o', output]);
    assert.deepEqual([refused.code, /is there already\n.*--force/.test(refused.stderr)], [5, true]);
  }
  assert.equal(readFileSync(taken, 'utf8'), 'mine');
  assert.equal((await stead.run(['export', 'systemd', '-o', 'a.service', '--force'])).code, 2);
  await stead.ok(['export', 'systemd', 'a', '-o', 'a.service', '--force']);
  assert.match(readFileSync(taken, 'utf8'), /^ExecStart=\S+\/sleep 1000$/m);
  assert.equal((await stead.run(['export', 'config', '--user'])).code, 2);
  await stead.ok(['stop', 'a']);
  assert.match((await stead.ok(['export', 'a'])).stdout, /^ {2}# It is stopped; apply starts it\.$/m);
  const { files } = await stead.json<{ files: { name: string; text: string }[] }>(['export', 'systemd']);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['a.service', 'b.service'],
  );
});

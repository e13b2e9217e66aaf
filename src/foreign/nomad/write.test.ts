/** Jobs of Nomad: of the documented form, and what they say of an app. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { checkNomadJob } from '../../../test/support/nomad-schema.ts';
import { optionSamples } from '../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../test/support/specs.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { writeNomad } from './write.ts';

const write = (spec: AppSpec) => writeNomad([outgoingOf(spec)], { owner: 'web' });

// biome-ignore lint/suspicious/noExplicitAny: its form is checked.
function jobOf(spec: AppSpec): any {
  const job = JSON.parse(write(spec).files[0]!.text);
  checkNomadJob(job);
  return job.Job;
}

test('jobs of every option have the documented form', () => {
  const specs = optionSamples().map(({ key, kind, options }, at) =>
    specOf(`${key}.${at}`, options, {
      kind,
      ...(kind === 'job' && { program: commandOf('true') }),
      env: ['PATH=/bin'],
    }),
  );
  const { files } = writeNomad(
    specs.map((spec) => outgoingOf(spec)),
    { owner: null },
  );
  for (const { text } of files) checkNomadJob(JSON.parse(text));
  assert.equal(new Set(files.map(({ name }) => name)).size, specs.length);
});

test('a broken job is noticed', () => {
  const job = JSON.parse(write(specOf('web', { ready: 'port:80' })).files[0]!.text);
  const group = job.Job.TaskGroups[0];
  const broken = [
    {},
    { Job: { ...job.Job, ID: 3 } },
    { Job: { ...job.Job, Typ: 'service' } },
    { Job: { ...job.Job, TaskGroups: [{ ...group, Tasks: [{ ...group.Tasks[0], Driver: 'docker' }] }] } },
    { Job: { ...job.Job, TaskGroups: [{ ...group, RestartPolicy: { Delay: '15s' } }] } },
  ];
  for (const each of broken) assert.throws(() => checkNomadJob(each));
});

test('an app: checks, restarts, updates, resources, secrets', () => {
  const job = jobOf(
    specOf('web', {
      instances: '2',
      env: ['PORT=5000', 'API_KEY=hush'],
      secret: ['TOKEN=file:/etc/token'],
      ready: 'http:5000/health',
      readyTimeoutMs: 45_000,
      alive: 'port:5000',
      aliveFailures: 5,
      maxMemory: 200 * 2 ** 20,
      cpuQuota: 150,
      stopSignal: 'INT',
      stopTimeoutMs: 5000,
      maxRestarts: 5,
      restartWindowMs: 60_000,
    }),
  );
  const [group] = job.TaskGroups;
  const [task] = group.Tasks;
  assert.deepEqual(
    [job.Type, group.Count, task.User, task.KillSignal, task.KillTimeout],
    ['service', 2, 'web', 'SIGINT', 5e9],
  );
  assert.deepEqual(group.RestartPolicy, { Attempts: 5, Interval: 60e9, Delay: 1e9, Mode: 'fail' });
  assert.deepEqual(
    group.Services[0].Checks.map(({ Type, Path, CheckRestart }: Record<string, unknown>) => [Type, Path, CheckRestart]),
    [
      ['http', '/health', undefined],
      ['tcp', undefined, { Limit: 5, Grace: 45e9 }],
    ],
  );
  assert.deepEqual(task.Resources, { CPU: 1500, MemoryMB: 200 });
  assert.equal(job.Update.HealthCheck, 'checks');
  assert.equal(task.Env.PORT, '5000');
  assert.match(
    task.Templates[0].EmbeddedTmpl,
    /^\{\{ with nomadVar "nomad\/jobs\/web" \}\}\nTOKEN=\{\{ \.TOKEN \| toJSON \}\}\nAPI_KEY=/,
  );
  assert.ok(!JSON.stringify(job).includes('hush'));
});

test('notes name the app; one says how secrets get there', () => {
  const { notes } = write(specOf('web', { secret: ['TOKEN=file:/etc/token'], ready: 'ipc' }));
  assert.match(notes[0]!, /^raw_exec must be enabled/);
  assert.ok(notes.includes('web: its secrets are variables of Nomad: nomad var put nomad/jobs/web TOKEN=@/etc/token'));
  assert.ok(notes.some((note) => note.startsWith("web: Nomad can't look for ready ipc")));
});

test('a job with a schedule is periodic, in the time zone of the machine unless another was said', () => {
  const job = (cron: string, zone?: string) =>
    specOf(
      'tidy',
      { cron, ...(zone !== undefined && { timezone: zone }) },
      { kind: 'job', program: commandOf('true') },
    );
  assert.deepEqual(jobOf(job('*/5 * * * *')).Periodic, {
    Enabled: true,
    SpecType: 'cron',
    Spec: '*/5 * * * *',
    TimeZone: 'Local',
    ProhibitOverlap: true,
  });
  assert.equal(jobOf(job('0 3 * * *', 'Europe/Zurich')).Periodic.TimeZone, 'Europe/Zurich');
  assert.equal(jobOf(job('*/5 * * * * *')).Periodic, undefined);
});

test('the command line runs the program with its words, where and as it was said', (t) => {
  const cwd = temporaryDirectory(t, "a b'c");
  const words = ['', 'a b', "it's", '$HOME', '\n'];
  const program = commandOf('/bin/sh', '-c', 'pwd; umask; ulimit -n; echo $N; printf "[%s]" "$@"', 'sh', ...words);
  const spec = specOf(
    'x',
    { umask: 0o27, limit: ['nofile=99:99'], incrementVar: 'N', env: ['N=40'], instances: '3' },
    { cwd, program },
  );
  const { command, args } = jobOf(spec).TaskGroups[0].Tasks[0].Config;
  const { stdout } = spawnSync(command, args, { encoding: 'utf8', env: { NOMAD_ALLOC_INDEX: '2', PATH: '/bin' } });
  assert.equal(stdout, `${cwd}\n0027\n99\n42\n${words.map((word) => `[${word}]`).join('')}`);
});

/** Manifests: right by Kubernetes' own schemas, and what they say of an app. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedManifests, checkManifest, type Manifest } from '../../../test/support/kubernetes-manifests.ts';
import { optionSamples } from '../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../test/support/specs.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { writeKubernetes } from './write.ts';

const write = (...specs: readonly AppSpec[]) =>
  writeKubernetes(
    specs.map((spec) => outgoingOf(spec)),
    { nodeMajor: 22 },
  );

/** The manifests of one app by kind. */
function manifestsOf(spec: AppSpec): Readonly<Record<string, Manifest>> {
  const manifests = checkedManifests(write(spec).files[0]!.text);
  return Object.fromEntries(manifests.map((manifest) => [manifest.kind, manifest]));
}

const podOf = ({ Deployment, StatefulSet, Job, CronJob }: Readonly<Record<string, Manifest>>) =>
  (Deployment ?? StatefulSet ?? Job)?.spec.template.spec ?? CronJob!.spec.jobTemplate.spec.template.spec;

test('manifests of every option are right by the schemas', () => {
  const specs = optionSamples().map(({ key, kind, options }, at) =>
    specOf(`${key}.${at}`, options, { kind, ...(kind === 'job' && { program: commandOf('true') }) }),
  );
  const manifests = checkedManifests(write(...specs).files[0]!.text);
  const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  assert.equal(new Set(names).size, names.length);
  for (const { metadata } of manifests) assert.match(metadata.name, /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
});

test('a broken manifest is noticed', () => {
  const { Deployment } = manifestsOf(specOf('web'));
  const broken = [
    { ...Deployment!, spec: { ...Deployment!.spec, replicas: 'three' } },
    { ...Deployment!, spec: { ...Deployment!.spec, selector: undefined } },
    { ...Deployment!, spec: { ...Deployment!.spec, replica: 3 } },
    { ...Deployment!, spec: { ...Deployment!.spec, template: { spec: { containers: [{ name: 'x', imagee: 'x' }] } } } },
  ];
  for (const manifest of broken) assert.throws(() => checkManifest(manifest));
});

test('an app: Deployment, ConfigMap, Service, probes, limits', () => {
  const spec = specOf('My_Web', {
    instances: '3',
    listen: ['http=5000', 'udp:53'],
    env: ['PORT=5000', 'GREETING=$(HOME) "x"\ny', 'API_KEY=hush'],
    secret: ['TOKEN=file:/etc/token'],
    ready: 'http:5000/health',
    readyTimeoutMs: 45_000,
    alive: 'exec:test -e x',
    aliveIntervalMs: 15_000,
    maxMemory: 200 * 2 ** 20,
    cpuQuota: 150,
    stopSignal: 'INT:2s,TERM',
    stopTimeoutMs: 5000,
    stopCommand: './drain',
  });
  const manifests = manifestsOf(spec);
  const { ConfigMap, Deployment, Service } = manifests;
  assert.deepEqual(ConfigMap!.data, { PORT: '5000', GREETING: '$(HOME) "x"\ny' });
  assert.equal(Deployment!.spec.replicas, 3);
  assert.deepEqual(
    Service!.spec.ports.map(({ name, port, protocol }: Record<string, unknown>) => [name, port, protocol]),
    [
      ['http', 5000, undefined],
      ['udp-53', 53, 'UDP'],
    ],
  );
  const pod = podOf(manifests);
  // 2 s for INT, 5 s for TERM, and the command before them.
  assert.equal(pod.terminationGracePeriodSeconds, 12);
  const [container] = pod.containers;
  assert.deepEqual(container.command, ['node', '/app/server.js']);
  assert.deepEqual(container.startupProbe, {
    httpGet: { path: '/health', port: 5000 },
    periodSeconds: 1,
    failureThreshold: 45,
  });
  assert.deepEqual(container.livenessProbe.exec.command, ['sh', '-c', 'test -e x']);
  assert.equal(container.livenessProbe.periodSeconds, 15);
  assert.deepEqual(container.resources.limits, { cpu: '1500m', memory: '200Mi' });
  assert.deepEqual(container.lifecycle.preStop.exec.command, ['sh', '-c', './drain']);
  assert.deepEqual(
    container.env.map(({ name, valueFrom }: Record<string, { secretKeyRef: object }>) => [
      name,
      valueFrom!.secretKeyRef,
    ]),
    [
      ['TOKEN', { name: 'my-web-secrets', key: 'TOKEN' }],
      ['API_KEY', { name: 'my-web-secrets', key: 'API_KEY' }],
    ],
  );
});

test('what looks secret is a reference, and no value', () => {
  const { files } = write(specOf('web', { env: ['API_KEY=hush', 'URL=redis://:hush@db'] }));
  assert.ok(!files.some(({ text }) => text.includes('hush')));
  assert.match(
    files[0]!.text,
    /^# kubectl create secret generic web-secrets --from-literal=API_KEY=… --from-literal=URL=…$/m,
  );
});

test('instances that count are a StatefulSet', () => {
  const manifests = manifestsOf(specOf('web', { instances: '2', incrementVar: 'N', env: ['N=7'] }));
  assert.equal(manifests.StatefulSet!.spec.serviceName, 'web');
  assert.equal(manifests.Service!.spec.clusterIP, 'None');
  assert.deepEqual(podOf(manifests).containers[0].command.slice(0, 4), [
    'sh',
    '-c',
    `export N=$$((7 + $\{HOSTNAME##*-})) && exec "$@"`,
    'sh',
  ]);
});

test('jobs: a Job runs once, a CronJob at its times, or a Job with a note', () => {
  const job = (options: Parameters<typeof specOf>[1]) =>
    specOf('tidy', options, { kind: 'job', program: commandOf('tidy', '$(x)') });
  const once = manifestsOf(job({ retries: 3, timeoutMs: 90_000 }));
  assert.equal(once.Job!.spec.backoffLimit, 3);
  assert.equal(once.Job!.spec.activeDeadlineSeconds, 90);
  assert.equal(podOf(once).restartPolicy, 'OnFailure');
  assert.deepEqual(podOf(once).containers[0].command, ['tidy', '$$(x)']);
  const cron = manifestsOf(
    job({ cron: '0 30 3 * * MON-FRI', timezone: 'Europe/Zurich', overlap: 'replace', missed: 'run' }),
  );
  assert.deepEqual(
    { ...cron.CronJob!.spec, jobTemplate: undefined },
    { schedule: '30 3 * * 1-5', timeZone: 'Europe/Zurich', concurrencyPolicy: 'Replace', jobTemplate: undefined },
  );
  const odd = write(job({ cron: '*/5 * * * * *' })).files[0]!.text;
  assert.match(odd, /^# A CronJob can't say its times, so it is a Job: \*\/5/m);
  assert.equal(checkedManifests(odd)[0]!.kind, 'Job');
});

test('the image is built by the interpreter, and runs as nobody special', () => {
  const dockerfileOf = (spec: AppSpec) => write(spec).files[1]!;
  const { name, text } = dockerfileOf(specOf('web', { stopSignal: 'QUIT' }));
  assert.equal(name, 'Dockerfile');
  for (const line of [
    'FROM node:22-slim',
    'WORKDIR /app',
    'USER 1000:1000',
    'STOPSIGNAL SIGQUIT',
    'CMD ["node","/app/server.js"]',
  ])
    assert.ok(text.split('\n').includes(line), line);
  assert.match(
    dockerfileOf(specOf('x', {}, { program: commandOf('gunicorn', 'app:app') })).text,
    /^FROM python:3-slim$/m,
  );
  assert.match(dockerfileOf(specOf('x', {}, { program: commandOf('./x') })).text, /^# Nothing is known of \.\/x/m);
  assert.deepEqual(
    write(specOf('a'), specOf('A')).files.map((file) => file.name),
    ['kubernetes.yaml', 'a.Dockerfile', 'a-2.Dockerfile'],
  );
});

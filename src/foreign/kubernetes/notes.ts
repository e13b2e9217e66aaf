/** What an app has and a cluster does in another way, a sentence each. */
import { keyOf } from '../notes.ts';
import { baseOf } from '../outgoing.ts';
import type { Outgoing } from '../written.ts';
import { isCounted, secretNames, unfitNames } from './environment.ts';
import { outsideOf } from './paths.ts';
import { scheduleOf } from './workload.ts';

export function kubernetesNotes(app: Outgoing, name: string): string[] {
  const { spec } = app;
  const { ready, share, schedule, options } = spec;
  const secrets = secretNames(app);
  const literals = secrets.map((key) =>
    Object.hasOwn(spec.secrets, key) ? `--from-file=${key}=${spec.secrets[key]}` : `--from-literal=${key}=…`,
  );
  const unfit = unfitNames(app);
  const outside = outsideOf(app);
  const needed = [...Object.keys(spec.dependsOn), ...spec.after];
  const ofKernel = [
    'limit',
    'cpuWeight',
    'maxTasks',
    'nice',
    'ioNice',
    'oomScoreAdj',
    'umask',
    'groups',
    'user',
  ] as const;
  const unsaid = ofKernel.filter((option) => options[option] !== undefined);
  const lost: readonly (readonly [boolean, string])[] = [
    [app.idle !== null && spec.kind === 'app', `Now it ${app.idle}: no replicas.`],
    [secrets.length > 0, `kubectl create secret generic ${name}-secrets ${literals.join(' ')}`],
    [unfit.length > 0, `No ConfigMap has such names, left out: ${unfit.join(', ')}.`],
    [
      spec.envFiles.length > 0,
      `Its env files are not read here: kubectl create configmap ${name}-files ${spec.envFiles.map((file) => `--from-env-file=${file}`).join(' ')}, and a configMapRef to it.`,
    ],
    [outside.length > 0, `Not in its directory, so not in its image: ${outside.join(', ')}.`],
    [
      spec.kind === 'app' && spec.restart !== 'always',
      `Pods of a ${isCounted(app) ? 'StatefulSet' : 'Deployment'} are always started again (stead: ${spec.restart}).`,
    ],
    [
      ready !== null && ['log', 'ipc', 'fd', 'notify'].includes(ready.kind),
      `Pods can't tell that they are ready by ${ready?.kind}: give it a readinessProbe.`,
    ],
    [spec.alive?.kind === 'watchdog', 'Nothing listens for WATCHDOG=1: give it a livenessProbe.'],
    [share.listen.length > 0, 'It gets no sockets (LISTEN_FDS): it must listen itself.'],
    [share.listen.some(({ kind }) => kind === 'unix'), 'Unix sockets are in its pod alone.'],
    [share.onDemand, 'It runs all the time, not on demand.'],
    [
      isCounted(app) && baseOf(app) === null,
      `${share.incrementVar} is no number in its environment, so it does not count up.`,
    ],
    [needed.length > 0, `Nothing waits here for ${needed.join(', ')}: an initContainer can.`],
    [schedule !== null && spec.kind === 'app', `A Deployment is not restarted at times (${schedule?.pattern}).`],
    [
      schedule !== null && spec.kind === 'job' && scheduleOf(app) === null,
      `A CronJob can't say its times, so it is a Job: ${schedule?.pattern}`,
    ],
    [schedule?.overlap === 'queue', 'A time that comes while it runs is skipped (stead: queue).'],
    [
      spec.kind === 'app' && spec.cpuQuota === null && spec.maxMemory === null,
      'It has no limits, so the scheduler counts on nothing: add resources.requests.',
    ],
    [unsaid.length > 0, `Not for a pod to say: ${unsaid.map(keyOf).join(', ')}.`],
    [spec.stopSignals.length > 1, 'Of its stop signals the first is sent (STOPSIGNAL of the image).'],
    [spec.stopStdin !== null || spec.stopMessage, 'It is asked to end by the signal alone.'],
    [
      spec.tty !== null || spec.stdin,
      'It gets no terminal and no stdin: tty and stdin of its container, kubectl attach.',
    ],
    [spec.log.out !== null || spec.log.err !== null, 'What it prints goes to kubectl logs, not to files.'],
    [spec.watch !== null || Object.keys(spec.hooks).length > 0, 'Watched files and hooks have no equal.'],
  ];
  return lost.flatMap(([isLost, text]) => (isLost ? [text] : []));
}

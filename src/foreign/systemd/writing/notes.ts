/** What an app has and a unit can't say, a sentence each. */
import type { AppSpec } from '../../../protocol/spec.ts';
import { baseOf, isNode } from '../../outgoing.ts';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { dependenciesOf } from './dependencies.ts';
import { isAssignable, isPlainPath } from './escape.ts';
import { secretsOf } from './exec.ts';
import { usesListenFile } from './listen.ts';
import { watchedPaths } from './path.ts';
import { timesOf } from './timer.ts';
import { appendSince, credentialsSince } from './versions.ts';

export function unitNotes(app: Outgoing, context: SystemdContext): string[] {
  const { spec } = app;
  return [
    ...(app.idle === null ? [] : [`Now it ${app.idle}.`]),
    ...environmentNotes(app),
    ...programNotes(app, context),
    ...readyNotes(spec),
    ...shareNotes(app),
    ...orderNotes(spec, context),
    ...(spec.schedule !== null && timesOf(app) === null
      ? [`OnCalendar= can't say its times, so there is no timer: ${spec.schedule.pattern}`]
      : []),
    ...watchNotes(app),
    ...oldNotes(spec, context.version),
    ...otherNotes(spec),
  ];
}

function environmentNotes(app: Outgoing): string[] {
  const { spec, env, withheld } = app;
  const unfit = [...env].flatMap(([name, value]) => (isAssignable(name, value) ? [] : [name]));
  const lostFiles = spec.envFiles.filter((file) => !isPlainPath(file));
  const lostSecrets = Object.keys(spec.secrets).filter((name) => !secretsOf(app).some(([kept]) => kept === name));
  return [
    ...(withheld.length === 0
      ? []
      : [
          `Left out, as their values look secret: ${withheld.join(', ')}. Put them into a file for EnvironmentFile=, or export --with-secrets.`,
        ]),
    ...(unfit.length === 0
      ? []
      : [`systemd takes no variable of such a name or value, left out: ${unfit.join(', ')}.`]),
    ...(lostFiles.length + lostSecrets.length === 0
      ? []
      : [`A unit can't name these, left out: ${[...lostFiles, ...lostSecrets].join(', ')}.`]),
    ...(spec.envFiles.length > 0 && env.size > 0
      ? [
          'Where EnvironmentFile= and Environment= have the same name, systemd takes the file; stead takes what was said.',
        ]
      : []),
  ];
}

function programNotes({ spec, argv }: Outgoing, { scope }: SystemdContext): string[] {
  return [
    ...(argv[0]?.startsWith('/') ? [] : [`${argv[0]} was not found: env looks for it when it starts.`]),
    ...(isPlainPath(spec.cwd) ? [] : ["A unit can't name its directory: WorkingDirectory= is left out."]),
    ...(scope === 'user' && spec.user !== null
      ? [`A user's own manager runs it as that user, not as ${spec.user.name}.`]
      : []),
    ...(scope === 'user' && spec.groups !== null ? ["A user's own manager can't change its groups."] : []),
  ];
}

const words: Readonly<Record<string, string>> = {
  log: 'by a line of its output',
  ipc: "by process.send('ready')",
  fd: 'by a newline on a descriptor',
  listen: 'when it listens',
};

function readyNotes({ ready, alive, kind, timeoutMs, restart }: AppSpec): string[] {
  return [
    ...(ready !== null && Object.hasOwn(words, ready.kind)
      ? [
          `stead takes it as ready ${words[ready.kind]}; here it is so when it runs. sd_notify(3) with Type=notify would tell.`,
        ]
      : []),
    ...(ready?.kind === 'http' ? ['ExecStartPost= needs curl.'] : []),
    ...(ready?.kind === 'port' ? ['ExecStartPost= needs bash.'] : []),
    ...(alive !== null && alive.kind !== 'watchdog'
      ? [
          `There is no check of its health (alive ${alive.kind}): WATCHDOG=1 by sd_notify(3) with WatchdogSec= would be one.`,
        ]
      : []),
    ...(kind === 'job' && timeoutMs !== null && restart === 'always' ? ['RuntimeMaxSec= counts from each start.'] : []),
  ];
}

function shareNotes(app: Outgoing): string[] {
  const { share } = app.spec;
  const instances = share.instances ?? 1;
  const isShared = share.listen.length > 0;
  return [
    ...(instances > 1 && !isShared
      ? ['The instances share no port here, as they do in stead: each needs one of its own, or a socket (listen).']
      : []),
    ...(isShared && !isNode(app)
      ? ['The program must take its socket itself, as sd_listen_fds(3) has it: one that binds its port finds it taken.']
      : []),
    ...(share.incrementVar !== null && baseOf(app) === null
      ? [`${share.incrementVar} is no number in its environment, so it does not count up.`]
      : []),
    ...(share.idleTimeoutMs !== null ? ['It is not stopped when it is idle.'] : []),
    ...((instances > 1 || isShared) && !usesListenFile(app)
      ? [
          'systemctl restart is no reload without a gap: what is being answered is cut off, unless SIGTERM lets it finish.',
        ]
      : []),
  ];
}

function orderNotes(spec: AppSpec, context: SystemdContext): string[] {
  const missing = dependenciesOf(spec).filter((name) => !context.units.has(name));
  return missing.length === 0 ? [] : [`It needs ${missing.join(', ')}, which is not among these units.`];
}

function watchNotes(app: Outgoing): string[] {
  const { watch, kind } = app.spec;
  if (watch === null) return [];
  if (kind === 'job' || watchedPaths(app).length === 0) return ["Changed files don't restart it."];
  return [
    'It is restarted when a file, or one directly in a directory, that is watched has changed: systemd looks no deeper, ignores nothing, and waits for no pause.',
  ];
}

function oldNotes({ log, secrets }: AppSpec, version: number): string[] {
  const files = [log.out, log.err].some((path) => path?.startsWith('/') && path !== '/dev/null');
  return [
    ...(files && version < appendSince
      ? ['This systemd can append to no file: what it prints is in the journal.']
      : []),
    ...(Object.keys(secrets).length > 0 && version < credentialsSince
      ? ["This systemd has no LoadCredential=: the program's user must be able to read the files of its secrets."]
      : []),
  ];
}

function otherNotes(spec: AppSpec): string[] {
  const { stopSignals, schedule, log, hooks } = spec;
  const lost: readonly (readonly [boolean, string])[] = [
    [
      stopSignals.length > 1,
      `Of its stop signals the first is sent, not ${stopSignals
        .slice(1)
        .map(({ signal }) => signal)
        .join(', ')}.`,
    ],
    [
      spec.stopStdin !== null || spec.stopMessage,
      'It is asked to end by the signal alone, not by its stdin or a message.',
    ],
    [spec.tty !== null, 'It has no terminal here: stead attach has no equal.'],
    [spec.stdin, 'Its stdin is /dev/null, not kept open.'],
    [spec.retryFailedAfterMs !== null, 'Having failed it stays so, and is not tried again later.'],
    [spec.slots !== null, 'There is no limit to how many of its group run at a time.'],
    [
      schedule !== null && schedule.overlap !== 'skip',
      `A time that comes while it runs is skipped (stead: ${schedule?.overlap}).`,
    ],
    [log.forward !== null, 'What it prints is in the journal, if not in a file.'],
    [log.out !== null || log.err !== null, 'Nothing rotates its log files: logrotate with copytruncate does.'],
    [
      Object.keys(hooks).length > 0,
      `Hooks are left out (${Object.keys(hooks).join(', ')}): ExecStartPost=, ExecStopPost= and OnFailure= are the nearest.`,
    ],
  ];
  return lost.flatMap(([isLost, text]) => (isLost ? [text] : []));
}

/** What an app has and Nomad does in another way, a sentence each; JSON has no comments. */
import { keyOf } from '../notes.ts';
import { stopTotalMs } from '../outgoing.ts';
import type { Outgoing } from '../written.ts';
import { lostLimits } from './exec.ts';
import { periodicSpec } from './job.ts';
import { isLook } from './service.ts';

/** A client's own. */
const longestKillMs = 30_000;

export function nomadNotes(app: Outgoing, id: string): string[] {
  const { spec, withheld } = app;
  const { ready, alive, share, schedule, options } = spec;
  const secrets = [...new Set([...Object.keys(spec.secrets), ...withheld])];
  const values = secrets.map((name) =>
    Object.hasOwn(spec.secrets, name) ? `${name}=@${spec.secrets[name]}` : `${name}=…`,
  );
  const needed = [...Object.keys(spec.dependsOn), ...spec.after];
  const unsaid = (['cpuWeight', 'maxTasks', 'ioNice', 'oomScoreAdj', 'noNewPrivs', 'groups'] as const).filter(
    (option) => options[option] !== undefined,
  );
  const interpolated = [...app.argv, ...app.env.values()].some((word) => /\$\{[\w.-]+\}/.test(word));
  const lost: readonly (readonly [boolean, string])[] = [
    [app.idle !== null, `now it ${app.idle}; nomad job run starts it.`],
    [secrets.length > 0, `its secrets are variables of Nomad: nomad var put nomad/jobs/${id} ${values.join(' ')}`],
    [spec.envFiles.length > 0, `its env files are not read: ${spec.envFiles.join(', ')}.`],
    [interpolated, 'Nomad puts a value in place of a name in braces after $ in its command line and its variables.'],
    [
      (share.instances ?? 1) > 1,
      'instances share no port: each needs one of its own (a dynamic port), or a node of its own.',
    ],
    [share.listen.length > 0, 'it gets no sockets (LISTEN_FDS): it must listen itself.'],
    [share.onDemand, 'it runs all the time, not on demand.'],
    [ready !== null && !isLook(ready), `Nomad can't look for ready ${ready?.kind}: it is healthy when it runs.`],
    [alive !== null && !isLook(alive), `Nomad can't look for alive ${alive?.kind} by itself.`],
    [needed.length > 0, `nothing waits for ${needed.join(', ')}.`],
    [
      spec.kind === 'app' && spec.restart !== 'always',
      `a service that ends is always started again (stead: ${spec.restart}).`,
    ],
    [spec.backoff.factor > 1 && spec.restart !== 'no', 'the pause between restarts does not grow.'],
    [schedule !== null && spec.kind === 'app', `it is not restarted at times (${schedule?.pattern}).`],
    [
      schedule !== null && spec.kind === 'job' && periodicSpec(app) === null,
      `Nomad can't say its times, so it runs at once: ${schedule?.pattern}`,
    ],
    [
      schedule !== null && schedule.overlap !== 'skip',
      `a time that comes while it runs is skipped (stead: ${schedule?.overlap}).`,
    ],
    [spec.timeoutMs !== null || spec.slots !== null, 'timeout and slots have no equal.'],
    [
      spec.maxMemory !== null || spec.cpuQuota !== null,
      'a core is taken for 1000 MHz; raw_exec is held to its resources where cgroups are used.',
    ],
    [unsaid.length > 0, `not for a task to say: ${unsaid.map(keyOf).join(', ')}.`],
    [lostLimits(spec).length > 0, `limits that no shell sets: ${lostLimits(spec).join(', ')}.`],
    [
      spec.stopSignals.length > 1 || spec.stopCommand !== null || spec.stopStdin !== null || spec.stopMessage,
      'it is asked to end by its first signal alone.',
    ],
    [
      stopTotalMs(spec) > longestKillMs,
      'clients wait 30 s at most for its end, unless their max_kill_timeout says more.',
    ],
    [spec.tty !== null || spec.stdin, 'it gets no terminal and no stdin.'],
    [spec.log.out !== null || spec.log.err !== null, 'what it prints goes to nomad alloc logs, not to files.'],
    [spec.watch !== null || Object.keys(spec.hooks).length > 0, 'watched files and hooks have no equal.'],
  ];
  return lost.flatMap(([isLost, text]) => (isLost ? [text] : []));
}

/** What an app has and pm2 can't do, a sentence each. */
import { keyOf, secretNotes } from '../../notes.ts';
import type { Outgoing } from '../../written.ts';
import { isCluster } from './fields.ts';

export function pm2Notes(app: Outgoing): string[] {
  const { spec } = app;
  const { ready, share, schedule, backoff, watch, options } = spec;
  const signals = spec.stopSignals.map(({ signal }) => signal).join(', ');
  const limits = [
    'limit',
    'cpuWeight',
    'cpuQuota',
    'maxTasks',
    'nice',
    'ioNice',
    'oomScoreAdj',
    'umask',
    'noNewPrivs',
    'groups',
  ] as const;
  const limited = limits.filter((name) => options[name] !== undefined);
  const lost: readonly (readonly [boolean, string])[] = [
    [app.idle !== null, `Now it ${app.idle}; pm2 start starts it.`],
    [spec.envFiles.length > 0, `pm2 reads no env files: ${spec.envFiles.join(', ')}.`],
    [
      signals !== 'SIGINT',
      `pm2 ends programs with SIGINT, and this one is asked by ${signals}: PM2_KILL_SIGNAL in the environment of pm2's daemon sets one for all.`,
    ],
    [spec.stopCommand !== null || spec.stopStdin !== null, 'pm2 has no stop command and writes nothing to stdin.'],
    [ready !== null && ready.kind !== 'ipc', `pm2 knows process.send('ready') alone, not ready ${ready?.kind}.`],
    [ready?.kind === 'ipc', 'pm2 takes it as online when listen_timeout is over, ready or not.'],
    [spec.alive !== null, 'pm2 checks no health.'],
    [share.listen.length > 0 && !isCluster(app), 'pm2 hands over no sockets (listen).'],
    [
      (share.instances ?? 1) > 1 && !isCluster(app),
      'Only scripts of Node share a port in pm2: give each instance its own.',
    ],
    [backoff.factor > 1 && spec.restart !== 'no', 'exp_backoff_restart_delay grows by half each time, up to 15 s.'],
    [Object.keys(spec.dependsOn).length + spec.after.length > 0, 'pm2 knows no order.'],
    [spec.stopExitCodes.some((code) => typeof code === 'string'), 'stop_exit_codes has no signals.'],
    [
      spec.restartWindowMs !== null || spec.retryFailedAfterMs !== null,
      'restart_window and retry_failed_after have no equal.',
    ],
    [schedule !== null && spec.kind === 'job', 'pm2 runs it at once, too, and then at its times.'],
    [schedule?.zone != null, `cron_restart goes by the time zone of pm2's daemon, not ${schedule?.zone}.`],
    [spec.timeoutMs !== null || spec.slots !== null, 'timeout and slots have no equal.'],
    [limited.length > 0, `pm2 sets no limits: ${limited.map(keyOf).join(', ')}.`],
    [spec.maxMemory !== null, 'pm2 looks at the memory of the main process alone, every 30 s.'],
    [spec.tty !== null || spec.stdin, 'It gets no terminal, and no stdin.'],
    [
      watch !== null,
      'pm2 watches every file that is not ignored; ext, ignore, graph, before and on_busy have no equal.',
    ],
    [Object.keys(spec.hooks).length > 0, `Hooks have no equal: ${Object.keys(spec.hooks).join(', ')}.`],
    [!spec.autostart, 'pm2 start starts it, though autostart is off.'],
    [
      Object.keys(options).some((name) => name.startsWith('logM') || name === 'logKeep'),
      'Rotation needs the module pm2-logrotate.',
    ],
  ];
  return [...secretNotes(app), ...lost.flatMap(([isLost, text]) => (isLost ? [text] : []))];
}

/** The `.service` of an app. */
import { isRunByShell, stopTotalMs } from '../../outgoing.ts';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { dependencyLines } from './dependencies.ts';
import { isPlainPath, plainValue, timeSpan } from './escape.ts';
import { environmentLines, execStart, shellLine } from './exec.ts';
import { hardeningLines } from './hardening.ts';
import { isTemplate } from './instances.ts';
import { limitLines } from './limits.ts';
import { drainMs, drains } from './listen.ts';
import { outputLines } from './logs.ts';
import { unitNotes } from './notes.ts';
import { readyLines } from './ready.ts';
import { restartLines, startLimitLines } from './restart.ts';
import { socketsLines, socketUnits } from './socket.ts';
import { headOf, unitText, wantedBy } from './unit-text.ts';
import { oneshotRestartSince } from './versions.ts';

export function serviceText(app: Outgoing, context: SystemdContext): string {
  const { spec } = app;
  const sections = {
    Unit: [
      `Description=${plainValue(spec.name)}${isTemplate(app) ? ' %i' : ''}`,
      ...dependencyLines(spec, context),
      ...socketLines(app),
      ...(isTemplate(app) ? [`PartOf=${spec.name}.target`] : []),
      ...startLimitLines(spec),
    ],
    Service: [
      ...typeLines(app),
      ...(isPlainPath(spec.cwd) ? [`WorkingDirectory=${plainValue(spec.cwd)}`] : []),
      ...userLines(app, context),
      ...environmentLines(app, context),
      ...socketsLines(app),
      execStart(app, context.version),
      ...stopLines(app),
      ...(isOneShot(app) && context.version < oneshotRestartSince ? [] : restartLines(spec, context.version)),
      ...limitLines(spec),
      ...outputLines(spec),
      ...hardeningLines(app, context),
    ],
    Install: installLines(app, context),
  };
  return unitText(headOf(app, unitNotes(app, context)), sections, context.version);
}

export const isOneShot = ({ spec }: Outgoing): boolean => spec.kind === 'job' && spec.restart !== 'always';

function typeLines(app: Outgoing): string[] {
  const { timeoutMs, schedule } = app.spec;
  if (!isOneShot(app))
    return [...readyLines(app), ...(timeoutMs === null ? [] : [`RuntimeMaxSec=${timeSpan(timeoutMs)}`])];
  return [
    'Type=oneshot',
    ...(timeoutMs === null ? [] : [`TimeoutStartSec=${timeSpan(timeoutMs)}`]),
    ...(schedule === null ? ['# It runs when it is asked to: systemctl start.'] : []),
  ];
}

function userLines({ spec }: Outgoing, { scope, owner }: SystemdContext): string[] {
  if (scope === 'user') return [];
  const user = spec.user?.name ?? owner;
  return [
    ...(user === null ? [] : [`User=${plainValue(user)}`]),
    ...(spec.groups === null || spec.groups.length === 0 ? [] : [`SupplementaryGroups=${spec.groups.join(' ')}`]),
  ];
}

/** A shell would end at once and leave what it started to SIGKILL, if it alone were asked to end. */
function stopLines(app: Outgoing): string[] {
  const { stopSignals, stopCommand, keepTree } = app.spec;
  const signal = stopSignals[0]?.signal ?? 'SIGTERM';
  return [
    // The signal comes when this has ended: so it waits for the program.
    ...(stopCommand === null
      ? drains(app)
        ? [`ExecStop=${drainLine(app)}`]
        : []
      : [`ExecStop=${shellLine(`${stopCommand}\nwhile kill -0 "$MAINPID" 2>/dev/null; do sleep 0.2; done`)}`]),
    `KillMode=${keepTree ? 'process' : isRunByShell(app) ? 'control-group' : 'mixed'}`,
    ...(signal === 'SIGTERM' ? [] : [`KillSignal=${signal}`]),
    // 0 would be for ever.
    `TimeoutStopSec=${timeSpan(Math.max(1, stopTotalMs(app.spec), drains(app) ? drainMs(app) + 1000 : 0))}`,
  ];
}

/** It answers what it has begun, and ends; who comes meanwhile waits in the socket. */
function drainLine(app: Outgoing): string {
  const times = Math.ceil(drainMs(app) / drainLookMs);
  const look = `[ $n -lt ${times} ] && kill -0 "$MAINPID" 2>/dev/null`;
  return shellLine(`kill -URG "$MAINPID"; n=0; while ${look}; do n=$((n+1)); sleep ${drainLookMs / 1000}; done`);
}

const drainLookMs = 100;

function socketLines(app: Outgoing): string[] {
  const sockets = socketUnits(app).map(({ name }) => name);
  return sockets.length === 0 ? [] : [`Requires=${sockets.join(' ')}`, `After=${sockets.join(' ')}`];
}

/** A template is started by its target, a job by its timer or by hand, what starts on demand by its socket. */
function installLines(app: Outgoing, { scope }: SystemdContext): string[] {
  const { kind, share, autostart } = app.spec;
  if (isTemplate(app) || kind === 'job' || share.onDemand || !autostart) return [];
  return [`WantedBy=${wantedBy(scope)}`];
}

/** The `.service` of an app. */
import { isRunByShell, stopTotalMs } from '../../outgoing.ts';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { dependencyLines } from './dependencies.ts';
import { isPlainPath, plainValue, timeSpan } from './escape.ts';
import { environmentLines, execStart, isTemplate, shellLine } from './exec.ts';
import { limitLines } from './limits.ts';
import { outputLines } from './logs.ts';
import { unitNotes } from './notes.ts';
import { readyLines } from './ready.ts';
import { restartLines, startLimitLines } from './restart.ts';
import { socketsLines, socketUnits } from './socket.ts';
import { headOf, unitText, wantedBy } from './unit-text.ts';

export function serviceText(app: Outgoing, context: SystemdContext): string {
  const { spec } = app;
  return unitText(headOf(app, unitNotes(app, context)), {
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
      ...environmentLines(app),
      ...socketsLines(app),
      execStart(app),
      ...stopLines(app),
      ...restartLines(spec, context.version),
      ...limitLines(spec),
      ...outputLines(spec),
    ],
    Install: installLines(app, context),
  });
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
      ? []
      : [`ExecStop=${shellLine(`${stopCommand}\nwhile kill -0 "$MAINPID" 2>/dev/null; do sleep 0.2; done`)}`]),
    `KillMode=${keepTree ? 'process' : isRunByShell(app) ? 'control-group' : 'mixed'}`,
    ...(signal === 'SIGTERM' ? [] : [`KillSignal=${signal}`]),
    // 0 would be for ever.
    `TimeoutStopSec=${timeSpan(Math.max(1, stopTotalMs(app.spec)))}`,
  ];
}

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

/** When a unit counts as started, and how it is known to be alive. */
import type { Readiness } from '../../../protocol/spec.ts';
import { isRunByShell } from '../../outgoing.ts';
import { shellWord } from '../../shell.ts';
import type { Outgoing } from '../../written.ts';
import { timeSpan } from './escape.ts';
import { shellLine } from './exec.ts';

/** Between two looks of a check, in seconds for sleep(1): as often as it can matter to what waits for it. */
const lookEvery = '0.2';

/** A program that has ended will not be ready: systemd would wait for the check until its time is over. */
const whileAlive = 'kill -0 "$MAINPID" || exit 1';

export function readyLines(app: Outgoing): string[] {
  const { ready, readyTimeoutMs, alive, aliveIntervalMs } = app.spec;
  const isNotify = ready?.kind === 'notify';
  const isWatchdog = alive?.kind === 'watchdog';
  const look = ready === null ? null : lookOf(ready);
  return [
    `Type=${isNotify ? 'notify' : 'exec'}`,
    ...(isNotify || isWatchdog ? [`NotifyAccess=${isRunByShell(app) ? 'all' : 'main'}`] : []),
    ...(look === null
      ? []
      : [`ExecStartPost=${shellLine(`until ${look}; do ${whileAlive}; sleep ${lookEvery}; done`)}`]),
    ...(isNotify || look !== null ? [`TimeoutStartSec=${timeSpan(readyTimeoutMs)}`] : []),
    ...(isWatchdog ? [`WatchdogSec=${timeSpan(aliveIntervalMs)}`] : []),
  ];
}

/** A command that succeeds when it is ready; null: there is none. */
function lookOf(ready: Readiness): string | null {
  if (ready.kind === 'exec') return `sh -c ${shellWord(ready.command)}`;
  if (ready.kind === 'http') return `curl -fsS -o /dev/null --max-time 5 ${shellWord(ready.url)}`;
  if (ready.kind === 'port') return `bash -c ${shellWord(`: 3<>/dev/tcp/${ready.host}/${ready.port}`)} 2>/dev/null`;
  return null;
}

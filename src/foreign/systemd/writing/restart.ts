/** When a unit is started again: systemd.service(5) Restart=, systemd.unit(5) StartLimit…=. */
import type { AppSpec } from '../../../protocol/spec.ts';
import { timeSpan } from './escape.ts';
import { restartStepsSince } from './versions.ts';

/** Older versions know one pause for all restarts: it must do for the first, and for a program that can't run for weeks. */
const onePauseMs = 1000;

export function restartLines(spec: AppSpec, version: number): string[] {
  if (spec.restart === 'no' || spec.maxRestarts === 0) return ['Restart=no', ...exitLines(spec)];
  const { minMs, maxMs, factor } = spec.backoff;
  const steps = factor > 1 && maxMs > minMs ? Math.ceil(Math.log(maxMs / minMs) / Math.log(factor)) : 0;
  const growing = [`RestartSteps=${steps}`, `RestartMaxDelaySec=${timeSpan(maxMs)}`];
  const onePause = Math.min(Math.max(onePauseMs, minMs), maxMs);
  return [
    `Restart=${spec.restart}`,
    ...(steps === 0
      ? [`RestartSec=${timeSpan(minMs)}`]
      : version >= restartStepsSince
        ? [`RestartSec=${timeSpan(minMs)}`, ...growing]
        : [
            `RestartSec=${timeSpan(onePause)}`,
            `# From systemd ${restartStepsSince} on: RestartSec=${timeSpan(minMs)}, ${growing.join(', ')}`,
          ]),
    ...exitLines(spec),
  ];
}

/** What ends it for good: it has completed. */
function exitLines({ stopExitCodes }: AppSpec): string[] {
  if (stopExitCodes.length === 0) return [];
  const codes = stopExitCodes.join(' ');
  const unusual = stopExitCodes.filter((code) => code !== 0).join(' ');
  return [...(unusual === '' ? [] : [`SuccessExitStatus=${unusual}`]), `RestartPreventExitStatus=${codes}`];
}

/** Of `[Unit]`. */
export function startLimitLines(spec: AppSpec): string[] {
  const { restart, maxRestarts, restartWindowMs } = spec;
  if (restart === 'no' || maxRestarts === 0) return [];
  if (maxRestarts === null) return ['StartLimitIntervalSec=0'];
  return [`StartLimitIntervalSec=${timeSpan(restartWindowMs ?? rowMs(spec))}`, `StartLimitBurst=${maxRestarts + 1}`];
}

/** Restarts in a row come within their pauses and what a run may take until it counts as stable. */
const rowMs = ({ maxRestarts, backoff, stableAfterMs }: AppSpec): number =>
  Math.min((maxRestarts! + 1) * (backoff.maxMs + stableAfterMs), 7 * 86_400_000);

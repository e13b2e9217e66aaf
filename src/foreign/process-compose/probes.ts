/** Probes: https://f1bonacc1.github.io/process-compose/health/. */

import type { Draft } from '../draft.ts';
import { shellWord } from '../shell.ts';
import type { Reader } from './fields.ts';

export interface ProbeContext {
  readonly rendered: (text: string) => string;
  /** The directory of the program, for a check in another one. */
  readonly isRestarted: boolean;
}

/** `ready`, and `alive` unless there is a probe of its own: theirs goes on looking, and restarts what is not ready any more. */
export function putReadiness(
  draft: Draft,
  probe: Reader | undefined,
  hasLiveness: boolean,
  context: ProbeContext,
): void {
  if (probe === undefined) return;
  const check = checkOf(draft, probe, 'readiness_probe', context);
  if (check === undefined || !draft.put('ready', check, 'readiness_probe')) return;
  const [delay, period, timeout, failures] = [
    'initial_delay_seconds',
    'period_seconds',
    'timeout_seconds',
    'failure_threshold',
  ].map((key) => probe.number(key));
  if ([delay, period, timeout, failures].some((number) => number !== undefined))
    draft.put(
      'ready_timeout',
      `${Math.max(1, (delay ?? 0) + (failures ?? 3) * Math.max(period ?? 10, timeout ?? 1))}s`,
      'readiness_probe',
    );
  if (!hasLiveness && context.isRestarted) putTimes(draft, check, probe);
}

export function putLiveness(draft: Draft, probe: Reader | undefined, context: ProbeContext): void {
  if (probe === undefined) return;
  const check = checkOf(draft, probe, 'liveness_probe', context);
  if (check !== undefined) putTimes(draft, check, probe);
}

function putTimes(draft: Draft, check: string, probe: Reader): void {
  if (!draft.put('alive', check, 'probe')) return;
  const seconds = (key: string, theirs: string) => {
    const number = probe.number(theirs);
    if (number !== undefined) draft.put(key, `${Math.max(1, number)}s`, theirs);
  };
  seconds('alive_interval', 'period_seconds');
  seconds('alive_timeout', 'timeout_seconds');
  const failures = probe.number('failure_threshold');
  if (failures !== undefined) draft.put('alive_failures', Math.max(1, failures), 'failure_threshold');
}

function checkOf(draft: Draft, probe: Reader, key: string, { rendered }: ProbeContext): string | undefined {
  const exec = probe.fields('exec');
  const command = exec?.text('command');
  if (command !== undefined) {
    const directory = exec?.text('working_dir');
    return `exec:${directory === undefined ? '' : `cd ${shellWord(rendered(directory))} && `}${rendered(command)}`;
  }
  const http = probe.fields('http_get');
  if (http === undefined) {
    draft.note(`${key}: it has neither exec nor http_get, so nothing is looked at.`);
    return undefined;
  }
  if (http.has('headers')) draft.note(`${key}: headers are not sent; exec: curl -fsS -H '…' URL does it.`);
  if (http.has('status_code') && http.number('status_code') !== 200)
    draft.note(`${key}: any status from 200 to 399 is right, not ${http.text('status_code')} alone.`);
  const part = (name: string, otherwise: string) => rendered(http.text(name) ?? otherwise);
  const port = http.has('port') || http.has('num_port') ? `:${part('port', http.text('num_port') ?? '')}` : '';
  const host = part('host', '127.0.0.1').replace(/^0\.0\.0\.0$/, '127.0.0.1');
  return `${part('scheme', 'http').toLowerCase()}://${host}${port}/${part('path', '/').replace(/^\//, '')}`;
}

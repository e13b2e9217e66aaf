/** When an app is started again, and by what. */
import { writtenDuration } from '../../config/file/stanza.ts';
import { type AppReading, isOn, number, type Part, texts } from './reading.ts';
import { memoryBytes, uptimeMs } from './words.ts';

/** What pm2 calls unstable: an end before this time, if nothing is said. */
const unstableMs = 1000;
const leastUptimeMs = 100;
const longestBackoffMs = 15_000;
const forgetsAfterMs = 30_000;

export function readRestarts({ values }: AppReading): Part {
  const stanza: Record<string, unknown> = {};
  const notes: string[] = [];
  const mistakes: string[] = [];
  if (values.autorestart === false) stanza.restart = 'no';
  const codes = texts(values, 'stop_exit_codes');
  if (codes !== undefined && codes.length > 0) stanza.stop_exit_codes = codes;
  const uptime = values.min_uptime === undefined ? undefined : uptimeMs(values.min_uptime);
  if (uptime === null || (uptime !== undefined && uptime < leastUptimeMs))
    mistakes.push(
      `"min_uptime" takes milliseconds, 100 at least, or 10s, 5m, 1h, not ${JSON.stringify(values.min_uptime)}`,
    );
  const most = number(values, 'max_restarts');
  if (most !== undefined && (most < 0 || !Number.isInteger(most)))
    mistakes.push('"max_restarts" takes a whole number, 0 or more');
  else if (most !== undefined) {
    stanza.max_restarts = most;
    if (most === 0) notes.push('max_restarts: 0 holds: the first crash is its last. pm2 loses the 0, and takes 16.');
  }
  if (most !== undefined || typeof uptime === 'number') stanza.stable_after = writtenDuration(uptime ?? unstableMs);
  Object.assign(stanza, readPauses({ values }, notes, mistakes));
  const memory = values.max_memory_restart;
  const bytes = memory === undefined ? 0 : memoryBytes(memory);
  if (bytes === null)
    mistakes.push(`"max_memory_restart" takes bytes or 200K, 200M, 2G, not ${JSON.stringify(memory)}`);
  else if (bytes > 0) stanza.max_memory = String(memory);
  return {
    stanza,
    notes,
    mistakes,
    defaults: [
      ...(most === undefined
        ? ['it is restarted without end, each time after a longer pause (pm2: 16 times at once)']
        : []),
      ...(bytes !== null && bytes > 0 ? ['max_memory counts all that an app has started (pm2: the main process)'] : []),
    ],
  };
}

/** Pauses between restarts: always the same, or longer by half each time. */
function readPauses(
  { values }: Pick<AppReading, 'values'>,
  notes: string[],
  mistakes: string[],
): Record<string, unknown> {
  const delay = number(values, 'restart_delay') ?? 0;
  const growing = number(values, 'exp_backoff_restart_delay') ?? 0;
  for (const [key, ms] of [
    ['restart_delay', delay],
    ['exp_backoff_restart_delay', growing],
  ] as const)
    if (ms < 0 || !Number.isInteger(ms)) mistakes.push(`"${key}" takes whole milliseconds, 0 or more`);
  if (mistakes.length > 0) return {};
  if (growing > 0) {
    if (delay > 0) notes.push('restart_delay: exp_backoff_restart_delay is said as well, and holds.');
    return {
      backoff_min: writtenDuration(growing),
      backoff_max: writtenDuration(Math.max(growing, longestBackoffMs)),
      backoff_factor: 1.5,
      ...(values.min_uptime === undefined && { stable_after: writtenDuration(forgetsAfterMs) }),
    };
  }
  if (delay === 0) return {};
  notes.push(`restart_delay: the first restart is at once, those after it wait ${writtenDuration(delay)}.`);
  return { backoff_min: writtenDuration(delay), backoff_max: writtenDuration(delay), backoff_factor: 1 };
}

export interface Timed extends Part {
  /** It runs at its times alone: `autorestart: false` with a schedule. */
  readonly isJob: boolean;
}

export function readSchedule({ values }: AppReading): Timed {
  const pattern = values.cron_restart;
  if (pattern === undefined || String(pattern).trim() === '0' || String(pattern).trim() === '') return { isJob: false };
  const isJob = values.autorestart === false;
  const fields = String(pattern).trim().split(/\s+/);
  if (fields.length < 5 || fields.length > 6)
    return {
      isJob,
      mistakes: [`"cron_restart" takes a pattern of five or six fields, or 0, not ${JSON.stringify(pattern)}`],
    };
  return {
    isJob,
    stanza: { cron: fields.join(' ') },
    notes: [
      isJob
        ? 'autorestart: false with cron_restart: a job, which runs at its times (pm2 runs it once at the start as well: stead restart NAME does).'
        : 'cron_restart: what was stopped stays stopped when its time comes (pm2 starts it).',
    ],
  };
}

export const readAutostart = ({ values }: AppReading): Part =>
  values.autostart === false ? { stanza: { autostart: false } } : {};

export const isForced = ({ values }: AppReading): boolean => isOn(values, 'force');

/** Points in time as a person says them: `10m` ago, `14:05`, `yesterday`, `2026-11-23 14:05`. */
import { parseDuration } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';

const dayMs = 86_400_000;

/** Text → milliseconds since the epoch, in local time unless it names another. Throws OPTION_INVALID. `shown` is the flag. */
export function parseWhen(text: string, shown: string, now = Date.now()): number {
  const found = wordOrClock(text, now) ?? date(text) ?? ago(text, now);
  if (found !== null && Number.isFinite(found)) return found;
  throw new SteadError('OPTION_INVALID', `${shown} takes a time, not ${JSON.stringify(text)}`, {
    hint: `${shown} 10m (ago), 14:05, yesterday, 2026-11-23, "2026-11-23 14:05:10", 2026-11-23T14:05:10Z, @1795442700`,
  });
}

function wordOrClock(text: string, now: number): number | null {
  if (text === 'now') return now;
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (text === 'today') return midnight;
  if (text === 'yesterday') return new Date(midnight - dayMs / 2).setHours(0, 0, 0, 0);
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?$/.exec(text);
  if (clock === null) return null;
  const [hours, minutes, seconds] = [clock[1], clock[2], clock[3] ?? 0].map(Number) as [number, number, number];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const at = (day: number) => new Date(day).setHours(hours, minutes, seconds, Number(clock[4] ?? 0) * 1000);
  // What is still to come today was meant of yesterday.
  return at(now) > now ? at(midnight - dayMs / 2) : at(now);
}

function date(text: string): number | null {
  if (/^@\d{1,11}(\.\d{1,3})?$/.test(text)) return Number(text.slice(1)) * 1000;
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text))
    return null;
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  // Date takes the 31st of November for the 1st of December.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null;
  // Without a time Date would take it for UTC.
  return Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
}

function ago(text: string, now: number): number | null {
  try {
    return now - parseDuration(text.replace(/^-/, '').replace(/ ago$/, ''), '');
  } catch {
    return null;
  }
}

/** As it is printed before a line: local time to the millisecond, with its distance from UTC. */
export function stamp(time: number): string {
  const minutes = -new Date(time).getTimezoneOffset();
  const local = new Date(time + minutes * 60_000).toISOString().slice(0, -1);
  const two = (number: number) => String(Math.trunc(number)).padStart(2, '0');
  const distance = Math.abs(minutes);
  return `${local}${minutes < 0 ? '-' : '+'}${two(distance / 60)}:${two(distance % 60)}`;
}

/**
 * `OnCalendar=Mon..Fri *-*-* 04:30:00 Europe/Zurich` → `30 4 * * 1-5` and the zone; systemd.time(7), "Calendar events". cron has no years, no fractions of
 * seconds, and runs on a day of the month or of the week where systemd wants both.
 */

export interface CronTime {
  readonly cron: string;
  readonly timezone: string | undefined;
}

const shorthands: Readonly<Record<string, string>> = {
  minutely: '*-*-* *:*:00',
  hourly: '*-*-* *:00:00',
  daily: '*-*-* 00:00:00',
  weekly: 'Mon *-*-* 00:00:00',
  monthly: '*-*-01 00:00:00',
  quarterly: '*-01,04,07,10-01 00:00:00',
  semiannually: '*-01,07-01 00:00:00',
  yearly: '*-01-01 00:00:00',
  annually: '*-01-01 00:00:00',
};

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Characters; no person writes a longer one. */
const longest = 200;

/** Null where cron can't say it. */
export function cronOf(text: string): CronTime | null {
  if (text.length > longest) return null;
  const { body, timezone } = withoutZone(text.trim());
  const words = (shorthands[body.toLowerCase()] ?? body).split(/\s+/);
  const weekday = /^[A-Za-z]/.test(words[0] ?? '') ? weekdaysOf(words.shift()!) : '*';
  const date = words[0]?.includes('-') === true ? words.shift()! : '*-*-*';
  const time = words.shift() ?? '00:00:00';
  if (weekday === null || words.length > 0) return null;
  const fields = [...timeFields(time), ...dateFields(date), weekday];
  if (fields.includes(null)) return null;
  const [second, minute, hour, day, month] = fields as string[];
  if (weekday !== '*' && day !== '*') return null;
  const all = [minute, hour, day, month, weekday].join(' ');
  return { cron: second === '0' ? all : `${second} ${all}`, timezone };
}

function withoutZone(text: string): { readonly body: string; readonly timezone: string | undefined } {
  const [, body, zone] = /^(.*\S)\s+(UTC|[A-Z][A-Za-z_]+\/[\w/+-]+)$/.exec(text) ?? [];
  return { body: body ?? text, timezone: zone };
}

/** `Mon..Fri,Sun` → `1-5,0`. */
function weekdaysOf(text: string): string | null {
  const parts = text
    .replace(/,$/, '')
    .split(',')
    .map((part) => {
      const [from, to] = part.split('..').map((word) => days.findIndex((day) => word.toLowerCase().startsWith(day)));
      if (from === undefined || from < 0 || (to !== undefined && to < 0)) return null;
      if (to === undefined) return String(from);
      // A week of theirs begins on Monday, so Sunday comes last, and no range begins with it.
      return from === 0 || from > (to || 7) ? null : `${from}-${to || 7}`;
    });
  return parts.includes(null) ? null : parts.join(',');
}

/** Seconds, minutes, hours. */
function timeFields(text: string): (string | null)[] {
  const parts = text.split(':');
  if (parts.length < 2 || parts.length > 3) return [null];
  const [hour, minute, second = '0'] = parts as [string, string, string?];
  return [fieldOf(second, 59), fieldOf(minute, 59), fieldOf(hour, 23)];
}

/** Day and month; a year must be any. */
function dateFields(text: string): (string | null)[] {
  const last = /^(?:\*-)?([^-~]+)~0*1$/.exec(text);
  if (last !== null) return ['L', fieldOf(last[1]!, 12)];
  const parts = text.split('-');
  if (parts.length === 3 && parts.shift() !== '*') return [null];
  if (parts.length !== 2) return [null];
  return [fieldOf(parts[1]!, 31), fieldOf(parts[0]!, 12)];
}

/** `0/15` → `0-59/15`, `1..5` → `1-5`, `*`, lists of these. */
function fieldOf(text: string, most: number): string | null {
  const parts = text.split(',').map((part) => {
    const [, range = '', step] = /^(\*|\d+(?:\.\.\d+)?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (range === '') return null;
    const [from, to] = range === '*' ? ['*', undefined] : range.split('..').map((word) => String(Number(word)));
    if ([from, to].some((word) => Number(word) > most)) return null;
    if (step === undefined) return to === undefined ? from! : `${from}-${to}`;
    return `${from === '*' ? '*' : `${from}-${to ?? most}`}/${Number(step)}`;
  });
  return parts.includes(null) ? null : parts.join(',');
}

/**
 * Cron patterns as croner reads them (five fields, or six with seconds first, or seven with the year), taken apart for tools that write times in another way.
 * Days of the month and weekdays are alternatives where both are said, unless `+` stands before the weekdays.
 */

export interface CronPattern {
  readonly seconds: Field;
  readonly minutes: Field;
  readonly hours: Field;
  /** Days of the month; null: any. */
  readonly days: DayField | null;
  readonly months: Field;
  /** Null: any. */
  readonly weekdays: WeekdayField | null;
  /** Days and weekdays must both hold. */
  readonly isBoth: boolean;
  /** As it is written; null: any. */
  readonly years: Field | null;
}

/** Ascending, each once. */
export type Field = readonly number[];

export interface DayField {
  readonly days: Field;
  readonly isLast: boolean;
  /** The weekday that is nearest to these. */
  readonly near: Field;
}

export interface WeekdayField {
  /** 0 is Sunday. */
  readonly days: Field;
  /** `5#2`, `5#L`: the second Friday, the last one. */
  readonly nth: readonly { readonly day: number; readonly nth: number | 'last' }[];
}

const nicknames: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const dayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Null for what is not understood here: a single time in ISO 8601, say. */
export function parseCron(text: string): CronPattern | null {
  const words = (nicknames[text.trim().toLowerCase()] ?? text.trim()).toUpperCase().split(/\s+/);
  if (words.length < 5 || words.length > 7) return null;
  const [seconds, minutes, hours, days, months, weekdays, years] = (
    words.length === 5 ? ['0', ...words, '*'] : words.length === 6 ? [...words, '*'] : words
  ) as [string, string, string, string, string, string, string];
  try {
    return {
      seconds: numbers(seconds, [0, 59]),
      minutes: numbers(minutes, [0, 59]),
      hours: numbers(hours, [0, 23]),
      days: isAny(days) ? null : dayField(days),
      months: numbers(named(months, monthNames, 1), [1, 12]),
      weekdays: isAny(weekdays.replace(/^\+/, '')) ? null : weekdayField(weekdays.replace(/^\+/, '')),
      isBoth: weekdays.startsWith('+'),
      years: isAny(years) ? null : numbers(years, [1970, 2199]),
    };
  } catch {
    return null;
  }
}

const isAny = (text: string): boolean => text === '*' || text === '?';

const named = (text: string, names: readonly string[], first: number): string =>
  text.replace(/[A-Z]{3}/g, (name) => (names.includes(name) ? String(names.indexOf(name) + first) : name));

function dayField(text: string): DayField {
  const parts = text.split(',');
  const near = parts.flatMap((part) => (/^\d+W$/.test(part) ? numbers(part.slice(0, -1), [1, 31]) : []));
  const plain = parts.filter((part) => part !== 'L' && !/^\d+W$/.test(part));
  return {
    days: plain.length === 0 ? [] : numbers(plain.join(','), [1, 31]),
    isLast: parts.includes('L'),
    near,
  };
}

function weekdayField(text: string): WeekdayField {
  const parts = named(text, dayNames, 0).split(',');
  const nth = parts.flatMap((part) => {
    const [, days, which] = /^(.+)#(L|[1-5])$/.exec(part) ?? [];
    return days === undefined
      ? []
      : weekdays(days).map((day) => ({ day, nth: which === 'L' ? ('last' as const) : Number(which) }));
  });
  const plain = parts.filter((part) => !part.includes('#'));
  return { days: plain.length === 0 ? [] : weekdays(plain.join(',')), nth };
}

/** 7 is Sunday, too. */
const weekdays = (text: string): Field => sorted(numbers(text, [0, 7]).map((day) => day % 7));

/** `*`, `5`, `1-5`, `0-30/10`, `0/15`, `5/10`, and lists of them. Throws for anything else. */
function numbers(text: string, [least, most]: readonly [number, number]): Field {
  const all = text.split(',').flatMap((part) => {
    const [, range, first, last, step] = /^(\*|\?|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (range === undefined || step === '0') throw new Error(`not a field: ${text}`);
    const from = first === undefined ? least : Number(first);
    const to = last !== undefined ? Number(last) : first === undefined || step !== undefined ? most : from;
    if (from < least || to > most || from > to) throw new Error(`out of range: ${text}`);
    const found = [];
    for (let value = from; value <= to; value += Number(step ?? 1)) found.push(value);
    return found;
  });
  return sorted(all);
}

const sorted = (values: readonly number[]): Field => [...new Set(values)].sort((a, b) => a - b);

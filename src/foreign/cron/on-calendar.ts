/** Cron patterns as systemd.time(7) writes times: `0 3 * * 1-5` → `Mon..Fri *-*-* 03:00:00`. */
import type { CronPattern, DayField, Field, WeekdayField } from './pattern.ts';

const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Which days: weekdays and days of the month, both of which must hold. */
interface Days {
  readonly weekdays: Field | null;
  /** `-01..07`, `~01`; with what divides it from the month. */
  readonly days: string;
}

/** One or several expressions, of which any may hold; null where there is no such expression. */
export function onCalendar(pattern: CronPattern, zone: string | null): readonly string[] | null {
  const days = daysOf(pattern);
  if (days === null) return null;
  const { years, months, hours, minutes, seconds } = pattern;
  const date = `${years === null ? '*' : written(years)}-${months.length === 12 ? '*' : written(months)}`;
  const time = [written(hours, 24), written(minutes, 60), written(seconds, 60)].join(':');
  return days.map(({ weekdays, days: each }) =>
    [
      ...(weekdays === null ? [] : [weekdayNames(weekdays)]),
      `${date}${each}`,
      time,
      ...(zone === null ? [] : [zone]),
    ].join(' '),
  );
}

function daysOf({ days, weekdays, isBoth }: CronPattern): readonly Days[] | null {
  const byDay = days === null ? null : ofMonth(days);
  const byWeekday = weekdays === null ? null : ofWeek(weekdays);
  if (byDay === undefined) return null;
  if (byDay === null) return byWeekday ?? [{ weekdays: null, days: '-*' }];
  if (byWeekday === null || !isBoth) return [...byDay, ...(byWeekday ?? [])];
  // Both: only plain ones go into one expression.
  const isPlain = days!.near.length === 0 && weekdays!.nth.length === 0;
  return isPlain ? byDay.map((each) => ({ ...each, weekdays: weekdays!.days })) : null;
}

const workdays = [1, 2, 3, 4, 5];

/** Undefined: what is nearest to the end of a month would need to know the month. */
function ofMonth({ days, isLast, near }: DayField): readonly Days[] | undefined {
  if (near.some((day) => day > 27)) return undefined;
  return [
    ...(days.length > 0 ? [{ weekdays: null, days: `-${written(days)}` }] : []),
    ...(isLast ? [{ weekdays: null, days: '~01' }] : []),
    ...near.flatMap((day) => [
      { weekdays: workdays, days: `-${two(day)}` },
      { weekdays: [1], days: `-${two(day + 1)}` },
      // A Saturday moves to the Friday before it, but not to another month.
      day === 1 ? { weekdays: [1], days: '-03' } : { weekdays: [5], days: `-${two(day - 1)}` },
    ]),
  ];
}

function ofWeek({ days, nth }: WeekdayField): readonly Days[] {
  return [
    ...(days.length > 0 ? [{ weekdays: days, days: '-*' }] : []),
    ...nth.map(({ day, nth: which }) => ({
      weekdays: [day],
      days: which === 'last' ? '~01..07' : `-${two(which * 7 - 6)}..${two(Math.min(31, which * 7))}`,
    })),
  ];
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Monday first, as the manual has it; three in a row and more as a range. */
const weekdayNames = (days: Field): string =>
  ranges(
    [...days].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7)),
    (a, b) => (a + 1) % 7 === b && b !== 1,
  )
    .map((range) =>
      range.length > 2 ? `${names[range[0]!]}..${names[range.at(-1)!]}` : range.map((day) => names[day]).join(','),
    )
    .join(',');

/** All of them are `*`, equal steps from the first to the end of the range `0/15`, others a list with ranges. */
function written(values: Field, count?: number): string {
  if (values.length === count) return '*';
  const [first = 0, second = 0] = values;
  const step = second - first;
  const isEven = values.every((value, at) => value === first + at * step);
  if (count !== undefined && values.length > 2 && step > 1 && isEven && values.at(-1)! + step >= count)
    return `${two(first)}/${step}`;
  return ranges(values, (a, b) => b === a + 1)
    .map((range) => (range.length > 2 ? `${two(range[0]!)}..${two(range.at(-1)!)}` : range.map(two).join(',')))
    .join(',');
}

function ranges(values: Field, follows: (a: number, b: number) => boolean): number[][] {
  const found: number[][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last !== undefined && follows(last.at(-1)!, value)) last.push(value);
    else found.push([value]);
  }
  return found;
}

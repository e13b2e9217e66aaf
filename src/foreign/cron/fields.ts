/** Cron patterns for tools that read cron's own five fields. */
import type { CronPattern, Field } from './pattern.ts';

/**
 * `minute hour day month weekday`, days and weekdays being alternatives, as in crontab(5); null for what these can't say: seconds, years, the last day,
 * the nth weekday. Seconds of 0 are none.
 */
export function fiveFields({
  seconds,
  minutes,
  hours,
  days,
  months,
  weekdays,
  isBoth,
  years,
}: CronPattern): string | null {
  const isBeyond =
    seconds.length !== 1 ||
    seconds[0] !== 0 ||
    years !== null ||
    (isBoth && days !== null && weekdays !== null) ||
    days?.isLast === true ||
    (days?.near.length ?? 0) > 0 ||
    (weekdays?.nth.length ?? 0) > 0;
  if (isBeyond) return null;
  return [
    written(minutes, 0, 59),
    written(hours, 0, 23),
    days === null ? '*' : written(days.days, 1, 31, false),
    written(months, 1, 12),
    weekdays === null ? '*' : written(weekdays.days, 0, 6, false),
  ].join(' ');
}

/** `*` and steps begin with a star, which says of days that any will do: so of those every one is named. */
function written(values: Field, least: number, most: number, mayBeAny = true): string {
  const [first = least, second = least] = values;
  const step = second - first;
  if (mayBeAny && values.length === most - least + 1) return '*';
  const isEven = values.every((value, at) => value === first + at * step);
  if (mayBeAny && isEven && step > 1 && values.length > 2 && first === least && values.at(-1)! + step > most)
    return `*/${step}`;
  if (isEven && step === 1 && values.length > 2) return `${first}-${values.at(-1)}`;
  return values.join(',');
}

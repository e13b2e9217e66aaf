/** Numbers as a person reads them, short enough for a table. */

/** Milliseconds: `0s`, `59s`, `12m`, `3h`, `5d`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Milliseconds with two units: `250 ms`, `12.3 s`, `5 min 3 s`, `2 h 5 min`, `3 d 4 h`. */
export function longDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return twoUnits([minutes, 'min'], [Math.floor(ms / 1000) % 60, 's']);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoUnits([hours, 'h'], [minutes % 60, 'min']);
  return twoUnits([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

type Part = readonly [number, string];
const twoUnits = (large: Part, small: Part) =>
  small[0] === 0 ? large.join(' ') : `${large.join(' ')} ${small.join(' ')}`;

/** Bytes: `0`, `512K`, `45.2M`, `1.5G`; K is 1024. */
export function shortSize(bytes: number): string {
  if (bytes < 1024) return `${bytes}`;
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 999.5 && unit < 4) [value, unit] = [value / 1024, unit + 1];
  return `${value < 99.95 && unit > 0 ? value.toFixed(1) : Math.round(value)}${'KMGTP'[unit]}`;
}

/** Percent of one core: `0%`, `0.4%`, `12%`, `230%`. */
export function shortPercent(percent: number): string {
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1).replace(/\.0$/, '') : Math.round(percent)}%`;
}

/** ISO time → `2026-01-31 14:05:09` in local time. */
export function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

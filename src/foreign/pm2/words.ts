/** pm2's small grammars: words of a text, sizes, times. */

/**
 * A text of arguments → its words: quotes around a word go, those of `k="v w"` keep it together and stay, others are characters like any other, and so is a backslash.
 * An empty word in quotes is none.
 */
export function splitWords(line: string): readonly string[] {
  const found = line.matchAll(/"([^"]*)"|'([^']*)'|([^\s"'][^\s]*?=(?:"[^"]*"|'[^']*'))|(\S+)/g);
  return [...found]
    .map(([, double, single, pair, plain]) => double ?? single ?? pair ?? plain!)
    .filter((word) => word !== '');
}

/** `200M`, `1G`, `5000`, a number → bytes; null for what pm2 refuses. */
export function memoryBytes(value: unknown): number | null {
  const [, digits, unit = ''] = /^(\d{1,15})([GMK]?)$/.exec(String(value)) ?? [];
  return digits === undefined ? null : Number(digits) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit);
}

/** `10s`, `1h`, `5000` → milliseconds; null for what pm2 refuses. */
export function uptimeMs(value: unknown): number | null {
  const [, digits, unit = ''] = /^(\d{1,12})([hms]?)$/.exec(String(value)) ?? [];
  return digits === undefined ? null : Number(digits) * { '': 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as '' | 's']!;
}

/** Values of units taken apart: words with quotes and C escapes (systemd.syntax(7)), %-specifiers (systemd.unit(5)), times (systemd.time(7)). */
import { decodeBytes, encodeBytes } from '../../../host/bytes.ts';

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
};

export interface UnitWord {
  readonly word: string;
  /** As it is written. */
  readonly raw: string;
}

/** Null if a quote is not closed. An escape that is none stays as it is written, as systemd does with a warning. */
export function unitWords(text: string): readonly UnitWord[] | null {
  const words: UnitWord[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  let from = 0;
  const end = (at: number) => {
    // Escapes are bytes: several may be one character.
    if (word !== null) words.push({ word: decodeBytes(encodeBytes(word)), raw: text.slice(from, at) });
    word = null;
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (quote === null && /\s/.test(letter)) {
      end(at);
      continue;
    }
    if (word === null) from = at;
    word ??= '';
    if (letter === '\\') {
      const [value, length] = readEscape(text.slice(at + 1, at + 10));
      word += value;
      at += length;
    } else if (letter === quote) quote = null;
    else if (quote === null && (letter === '"' || letter === "'")) quote = letter;
    else word += letter;
  }
  end(text.length);
  return quote === null ? words : null;
}

export const splitUnitWords = (text: string): readonly string[] | null =>
  unitWords(text)?.map(({ word }) => word) ?? null;

/** What comes after a backslash: what it means, and how long it is. */
function readEscape(rest: string): [value: string, length: number] {
  const plain = escapes[rest[0] ?? ''];
  if (plain !== undefined) return [plain, 1];
  const [all, hex, octal, short, long] =
    /^(?:x([\da-fA-F]{2})|([0-3][0-7]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(rest) ?? [];
  if (all === undefined) return ['\\', 0];
  const code = octal === undefined ? Number.parseInt((hex ?? short ?? long)!, 16) : Number.parseInt(octal, 8);
  if (code === 0 || code > 0x10ffff) return ['\\', 0];
  const isByte = short === undefined && long === undefined && code >= 0x80;
  return [isByte ? String.fromCharCode(0xdc00 + code) : String.fromCodePoint(code), all.length];
}

/** What is known of a unit for its specifiers. */
export interface Specifiers {
  readonly [letter: string]: string;
}

export function specifiersOf(
  name: string,
  path: string,
  of: {
    readonly isOfSystem: boolean;
    readonly user: string;
    readonly userHome: string;
    readonly hostName: string;
    readonly runtime: string;
  },
): Specifiers {
  const [, stem = name, prefix = stem, instance = ''] = /^(([^@]*)(?:@(.*))?)\.[a-z]+$/.exec(name) ?? [];
  const { isOfSystem, userHome } = of;
  const last = prefix.slice(prefix.lastIndexOf('-') + 1);
  return {
    n: name,
    N: stem,
    p: prefix,
    P: unitUnescape(prefix),
    i: instance,
    I: unitUnescape(instance),
    j: last,
    J: unitUnescape(last),
    f: instance === '' ? `/${unitUnescape(prefix)}` : `/${unitUnescape(instance)}`.replace(/^\/\//, '/'),
    y: path,
    Y: path.slice(0, path.lastIndexOf('/')),
    u: isOfSystem ? 'root' : of.user,
    g: isOfSystem ? 'root' : of.user,
    h: isOfSystem ? '/root' : userHome,
    ...(isOfSystem && { U: '0', G: '0' }),
    H: of.hostName,
    l: of.hostName.split('.')[0]!,
    t: isOfSystem ? '/run' : of.runtime,
    S: isOfSystem ? '/var/lib' : `${userHome}/.local/state`,
    C: isOfSystem ? '/var/cache' : `${userHome}/.cache`,
    L: isOfSystem ? '/var/log' : `${userHome}/.local/state/log`,
    E: isOfSystem ? '/etc' : `${userHome}/.config`,
    T: '/tmp',
    V: '/var/tmp',
    '%': '%',
  };
}

/** `dev-sda1` → `dev/sda1`, `a\x2db` → `a-b`. */
const unitUnescape = (text: string): string =>
  text.replaceAll('-', '/').replace(/\\x([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Those that are not known are told, and stay as they are. */
export function specified(text: string, specifiers: Specifiers, unknown: (specifier: string) => void): string {
  return text.replace(/%([A-Za-z%])/g, (all, letter) => {
    if (Object.hasOwn(specifiers, letter)) return specifiers[letter]!;
    unknown(all);
    return all;
  });
}

const unitsMs: Readonly<Record<string, number>> = Object.fromEntries(
  (
    [
      [0.001, 'us usec µs μs'],
      [1, 'ms msec'],
      [1000, 's sec second seconds'],
      [60_000, 'm min minute minutes'],
      [3_600_000, 'h hr hour hours'],
      [86_400_000, 'd day days'],
      [604_800_000, 'w week weeks'],
      [2_629_800_000, 'M month months'],
      [31_557_600_000, 'y year years'],
    ] as const
  ).flatMap(([ms, names]) => names.split(' ').map((name) => [name, ms])),
);

/** `5min 20s`, `90` (seconds) → milliseconds; Infinity for `infinity`, null for no time. */
export function timeMs(text: string): number | null {
  if (text.trim() === 'infinity') return Number.POSITIVE_INFINITY;
  const parts = [...text.matchAll(/\s*(\d+(?:\.\d+)?)\s*([A-Za-zµμ]*)/gy)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text.trimEnd()) return null;
  const sum = parts.reduce(
    (total, [, number, unit]) => total + Number(number) * (unit === '' ? 1000 : (unitsMs[unit!] ?? Number.NaN)),
    0,
  );
  return Number.isNaN(sum) ? null : Math.round(sum);
}

/** `4K`, `1.5G` → bytes, K being 1024; null for no size. */
export function sizeBytes(text: string): number | null {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGTPE]?)B?$/.exec(text.trim()) ?? [];
  return number === undefined
    ? null
    : Math.round(Number(number) * 1024 ** ['', 'K', 'M', 'G', 'T', 'P', 'E'].indexOf(unit));
}

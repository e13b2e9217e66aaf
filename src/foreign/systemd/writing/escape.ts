/** How values stand in unit files: systemd.syntax(7), systemd.service(5) "COMMAND LINES", systemd.exec(5) Environment=. */
import { encodeBytes } from '../../../host/bytes.ts';

/** A word of Exec…=: specifiers and variables that it might seem to hold are none. */
export const commandWord = (text: string): string => quoted(text.replaceAll('$', () => '$$'));

/** The first word of Exec…=: variables are not looked for in a path. */
export const commandPath = (text: string): string => quoted(text);

/** A path where words are read, and specifiers: ReadWritePaths=. */
export const pathWord = (text: string): string => quoted(text);

/** The right side of Environment=, one assignment. */
export const assignment = (name: string, value: string): string => quoted(`${name}=${value}`, true);

/** systemd takes variables of such names, and values without control characters, and leaves out others. */
export const isAssignable = (name: string, value: string): boolean =>
  /^[A-Za-z_]\w*$/.test(name) &&
  !/[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]/.test(withoutPairs(value)) &&
  !noCharacter.test(value);

/** Paths and other values that are taken as they stand, but for specifiers. */
export const plainValue = (text: string): string => text.replaceAll('%', '%%');

/** A path that has these can't stand where no quotes are read. */
export const isPlainPath = (path: string): boolean =>
  path.startsWith('/') &&
  !/[\x00-\x1f\x7f\ud800-\udfff]|\\$|^\s|\s$/.test(withoutPairs(path)) &&
  !noCharacter.test(path);

/** For systemd such are no UTF-8 (unichar_is_valid in its utf8.c), and a line that has one is no line. */
const noCharacter = /\p{Noncharacter_Code_Point}/u;

/** Surrogates that are left belong to no character: bytes that are no UTF-8. */
const withoutPairs = (text: string): string => text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '');

const plainWord = /^[\w@+=:,./%$*-]+$/;

function quoted(text: string, always = false): string {
  const escaped = text.replaceAll('%', '%%');
  if (!always && plainWord.test(escaped)) return escaped;
  return `"${[...escaped].map(escapedCharacter).join('')}"`;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

function escapedCharacter(character: string): string {
  if (Object.hasOwn(named, character)) return named[character]!;
  const isPlain =
    (!/[\x00-\x1f\x7f\udc80-\udcff]/.test(character) || character.length > 1) && !noCharacter.test(character);
  if (isPlain) return character;
  return [...encodeBytes(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** `10s`, `1500ms`, `1min 30s` is never needed: the largest unit in which it is whole, to the minute. */
export function timeSpan(ms: number): string {
  if (ms % 60_000 === 0 && ms >= 60_000) return `${ms / 60_000}min`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** `512M`, K being 1024 here, too. */
export function sizeInBytes(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes % 1024 ** each === 0) ?? 0;
  return `${bytes / 1024 ** power}${['', 'K', 'M', 'G', 'T'][power]}`;
}

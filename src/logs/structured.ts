/** JSON lines that a program logs (pino, bunyan, winston, zap, slog and the like) as text that a person reads. */
import { escapeControls } from '../host/bytes.ts';

const longestLine = 256 * 1024;
const longestValue = 500;

/** Numbers as pino and bunyan have them. */
const levels: Readonly<Record<string, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

const messageKeys = ['msg', 'message', 'event'];
const levelKeys = ['level', 'severity', 'lvl'];
const timeKeys = ['time', 'timestamp', 'ts', '@timestamp'];
const errorKeys = ['err', 'error'];
const stackKeys = ['stack', 'stacktrace'];
/** What is the same in every line of a program says nothing. */
const silent = new Set(['pid', 'hostname', 'v']);

type Fields = Readonly<Record<string, unknown>>;

/** `14:05:10.123 ERROR lost the database host=db1`, with a stack on lines of its own; null for a line that is no such object. */
export function readable(line: string): string | null {
  if (Buffer.byteLength(line) > longestLine || !/^\s*\{/.test(line)) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return inWords(value as Fields);
}

function inWords(fields: Fields): string | null {
  const [messageKey, levelKey, timeKey] = [messageKeys, levelKeys, timeKeys].map((keys) =>
    keys.find((key) => Object.hasOwn(fields, key) && isPlain(fields[key])),
  );
  if (messageKey === undefined && levelKey === undefined) return null;
  const { stack, rest } = withoutStack(fields);
  const said = [messageKey, levelKey, timeKey];
  const words = [
    timeKey === undefined ? null : clock(fields[timeKey]),
    levelKey === undefined ? null : levelInWords(fields[levelKey]),
    messageKey === undefined ? null : escapeControls(String(fields[messageKey])),
    ...rest
      .filter(([key]) => !said.includes(key) && !silent.has(key))
      .map(([key, value]) => `${short(key)}=${short(value)}`),
  ].filter((word) => word !== null && word !== '');
  const lines = stack === null ? [] : stack.split('\n').map((each) => `    ${escapeControls(each.trim())}`);
  return [words.join(' '), ...lines].join('\n');
}

const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

type Entries = readonly (readonly [string, unknown])[];

/** The stack of an error or else of the line, and what else the line says; of the error what no stack says. */
function withoutStack(fields: Fields): { readonly stack: string | null; readonly rest: Entries } {
  const entries = Object.entries(fields);
  for (const errorKey of errorKeys) {
    const error = Object.hasOwn(fields, errorKey) ? fields[errorKey] : null;
    if (typeof error !== 'object' || error === null) continue;
    const { stack, type, name, message, ...more } = error as Fields;
    if (typeof stack !== 'string') continue;
    const others = entries.filter(([key]) => key !== errorKey);
    return { stack, rest: Object.keys(more).length === 0 ? others : [...others, [errorKey, more]] };
  }
  const stackKey = stackKeys.find((key) => Object.hasOwn(fields, key) && typeof fields[key] === 'string');
  if (stackKey === undefined) return { stack: null, rest: entries };
  return { stack: String(fields[stackKey]), rest: entries.filter(([key]) => key !== stackKey) };
}

function levelInWords(level: unknown): string {
  const text = String(level);
  return (Object.hasOwn(levels, text) ? levels[text]! : escapeControls(text).slice(0, 20).toUpperCase()).padEnd(5);
}

/** Local time; what is no time stays as it is. */
function clock(value: unknown): string {
  const time = new Date(msOf(value));
  if (Number.isNaN(time.getTime())) return escapeControls(String(value)).slice(0, 40);
  const two = (number: number, digits = 2) => String(number).padStart(digits, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}

/** NaN for what is no time: `Date` would read one out of nearly any text. */
function msOf(value: unknown): number {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)) return Date.parse(value);
  const number = typeof value === 'number' ? value : /^\d+(\.\d+)?$/.test(String(value)) ? Number(value) : Number.NaN;
  // Of this century they are of one length each.
  if (number < 1e11) return number * 1e3;
  if (number < 1e14) return number;
  return number < 1e17 ? number / 1e3 : number / 1e6;
}

function short(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  } catch {
    // Nested deeper than the stack.
    text = '…';
  }
  // No half of a pair is left.
  const cut = text.length > longestValue ? `${text.slice(0, longestValue).replace(/[\ud800-\udbff]$/, '')}…` : text;
  const isWord = typeof value !== 'string' || /^[^\s"=]+$/.test(cut);
  return escapeControls(isWord ? cut : JSON.stringify(cut));
}

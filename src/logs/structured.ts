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
/** What is the same in every line of a program says nothing. */
const silent = new Set(['pid', 'hostname', 'v']);

type Fields = Readonly<Record<string, unknown>>;

/** `14:05:10.123 ERROR lost the database host=db1`, with a stack on lines of its own; null for a line that is no such object. */
export function readable(line: string): string | null {
  if (line.length > longestLine || !/^\s*\{/.test(line)) return null;
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
  const errorKey = errorKeys.find((key) => Object.hasOwn(fields, key) && typeof stackOf(fields[key]) === 'string');
  const stack = (errorKey === undefined ? undefined : stackOf(fields[errorKey])) ?? stackOf(fields);
  const rest = Object.entries(fields).filter(
    ([key]) => ![messageKey, levelKey, timeKey, errorKey].includes(key) && !silent.has(key) && key !== 'stack',
  );
  const words = [
    timeKey === undefined ? null : clock(fields[timeKey]),
    levelKey === undefined ? null : levelInWords(fields[levelKey]),
    messageKey === undefined ? null : escapeControls(String(fields[messageKey])),
    ...rest.map(([key, value]) => `${escapeControls(key)}=${short(value)}`),
  ].filter((word) => word !== null && word !== '');
  const lines = stack === undefined ? [] : stack.split('\n').map((each) => `    ${escapeControls(each.trim())}`);
  return [words.join(' '), ...lines].join('\n');
}

const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

function stackOf(value: unknown): string | undefined {
  const stack = (value as { readonly stack?: unknown } | null)?.stack;
  return typeof stack === 'string' ? stack : undefined;
}

function levelInWords(level: unknown): string {
  const text = String(level);
  return (Object.hasOwn(levels, text) ? levels[text]! : escapeControls(text).slice(0, 20).toUpperCase()).padEnd(5);
}

/** Local time; what is no time stays as it is. */
function clock(value: unknown): string {
  const time = typeof value === 'number' ? new Date(value < 1e11 ? value * 1000 : value) : new Date(String(value));
  if (Number.isNaN(time.getTime())) return escapeControls(String(value)).slice(0, 40);
  const two = (number: number, digits = 2) => String(number).padStart(digits, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}

function short(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  } catch {
    // Nested deeper than the stack.
    text = '…';
  }
  const cut = text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
  const isWord = typeof value !== 'string' || /^[^\s"=]+$/.test(cut);
  return escapeControls(isWord ? cut : JSON.stringify(cut));
}

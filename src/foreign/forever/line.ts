/** `forever start -m 5 --minUptime 1000 app.js --port 80`: options of forever stand before the script; all after it is the script's. */
import { nearest } from '../../config/nearest.ts';
import { SteadError } from '../../protocol/errors.ts';
import { type ForeverOptions, type Key, keys, typedValue } from './options.ts';

const short: Readonly<Record<string, string>> = {
  m: 'max',
  l: 'logFile',
  o: 'outFile',
  e: 'errFile',
  p: 'path',
  c: 'command',
  a: 'append',
  f: 'fifo',
  n: 'number',
  u: 'uid',
  d: 'debug',
  v: 'verbose',
  s: 'silent',
  w: 'watch',
  t: 'killTree',
  h: 'help',
};

/** Options that are only for people who look on; `true`: with a value. */
const others: Readonly<Record<string, boolean>> = {
  fifo: false,
  number: true,
  debug: false,
  verbose: false,
  colors: false,
  plain: false,
  help: false,
  version: false,
};

/** Its other action words; `start` and none at all mean a script. */
const actions = 'stop stopbypid stopall restart restartall list config set clear logs columns cleanlogs help'.split(
  ' ',
);

/** The script and its options. Throws USAGE. */
export function readForeverLine(words: readonly string[]): ForeverOptions {
  let rest = words[0] === 'forever' ? words.slice(1) : words;
  if (rest[0] !== undefined && actions.includes(rest[0]))
    throw new SteadError('USAGE', `forever ${rest[0]} starts nothing, so there is nothing to import`, {
      hint: 'stead import forever -- start -m 5 app.js',
    });
  if (rest[0] === 'start') rest = rest.slice(1);
  const options: Record<string, unknown> = {};
  let at = 0;
  for (; at < rest.length && rest[at]!.startsWith('-') && rest[at] !== '-'; at++)
    at += readOption(rest[at]!, rest[at + 1], options);
  const [script, ...args] = rest.slice(at);
  if (script === undefined)
    throw new SteadError('USAGE', 'the command line of forever names no script', {
      hint: 'stead import forever -- start -m 5 app.js',
    });
  return { ...options, script, args } as ForeverOptions;
}

/** How many more words it took. */
function readOption(word: string, next: string | undefined, options: Record<string, unknown>): 0 | 1 {
  const [, dashes = '', name = '', attached] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const isOff = dashes === '--' && name.startsWith('no-');
  const key = dashes === '-' ? (Object.hasOwn(short, name) ? short[name]! : '') : isOff ? name.slice(3) : name;
  const isOther = Object.hasOwn(others, key);
  if (!isOther && !(Object.hasOwn(keys, key) && !['script', 'args'].includes(key))) throw unknownOption(word);
  const kind = isOther ? (others[key] ? 'text' : 'flag') : keys[key as Key];
  if (kind === 'flag') {
    if (!isOther) options[key] = !isOff && attached !== 'false';
    return 0;
  }
  const text = attached ?? next;
  const value = text === undefined || isOther ? text : typedValue(key as Key, text);
  if (value === undefined)
    throw new SteadError(
      'USAGE',
      `${word} needs ${kind === 'number' ? 'a number' : 'a value'}${text === undefined ? '' : `, not ${JSON.stringify(text)}`}`,
    );
  // Those that may be said several times grow.
  if (!isOther)
    options[key] =
      kind === 'texts'
        ? [...((options[key] as readonly string[] | undefined) ?? []), ...(value as readonly string[])]
        : value;
  return attached === undefined ? 1 : 0;
}

function unknownOption(word: string): SteadError {
  const near = nearest(word.replace(/^--?/, ''), [...Object.keys(keys), ...Object.keys(others)]);
  return new SteadError('USAGE', `forever has no option ${JSON.stringify(word)}`, {
    hint: near === undefined ? 'options of forever stand before the script' : `did you mean --${near}?`,
  });
}

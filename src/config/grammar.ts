/** Values with a grammar of their own: `port:5000`, `INT:5s,TERM`, `db:ready`. Text → what the spec holds; each throws OPTION_INVALID with an example that passes. */
import { SteadError } from '../protocol/errors.ts';
import {
  type Check,
  type DependencyState,
  type HookName,
  hookNames,
  type Liveness,
  type Readiness,
  type StopSignal,
} from '../protocol/spec.ts';
import { parseDuration, parseSignal, quote } from './values.ts';

/** What a value of the options table's type `text` or `texts` must be, each entry by itself. */
export type Grammar = (text: string, shown: string) => unknown;

const longestPattern = 1000;

/** `port:5000`, `port:db.local:5432`, `http://…`, `http:8080/health`, `exec:CMD`, `log:REGEX`, `ipc`, `fd:3`, `notify`, `listen`. */
export function parseReady(text: string, shown: string): Readiness {
  const [kind, rest] = divide(text);
  if (kind === 'log' && rest) return { kind, pattern: checkedPattern(rest, shown) };
  if (text === 'ipc' || text === 'notify' || text === 'listen') return { kind: text };
  if (kind === 'fd' && /^[3-7]$/.test(rest)) return { kind, fd: Number(rest) };
  const check = parseCheck(text, shown);
  if (check !== null) return check;
  throw invalid(
    `${shown} takes port:N, http:URL, log:REGEX, exec:COMMAND, ipc, fd:N (3 to 7), notify or listen, not ${quote(text)}`,
    nearestCheck(text, shown),
  );
}

/** `port:N`, `http:URL`, `exec:CMD`, `watchdog`. */
export function parseAlive(text: string, shown: string): Liveness {
  if (text === 'watchdog') return { kind: 'watchdog' };
  const check = parseCheck(text, shown);
  if (check !== null) return check;
  throw invalid(
    `${shown} takes port:N, http:URL, exec:COMMAND or watchdog, not ${quote(text)}`,
    nearestCheck(text, shown),
  );
}

function parseCheck(text: string, shown: string): Check | null {
  const [kind, rest] = divide(text);
  if (kind === 'port' || kind === 'tcp') return parseEndpoint(rest);
  if (kind === 'exec' && rest) return { kind, command: rest };
  if (kind === 'http' || kind === 'https') return { kind: 'http', url: checkedUrl(text, rest, shown) };
  return null;
}

function parseEndpoint(text: string): Check | null {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65_535) return null;
  return { kind: 'port', host: match[1]?.replace(/^\[(.*)\]$/, '$1') ?? 'localhost', port };
}

/** `http://host/path`, `http:http://…`, `http:8080/health`, `http:/health` is none. */
function checkedUrl(text: string, rest: string, shown: string): string {
  const url = /^https?:\/\//.test(text) ? text : /^https?:\/\//.test(rest) ? rest : `http://localhost:${rest}`;
  if ((/^\d{1,5}(\/|$)/.test(rest) || url !== `http://localhost:${rest}`) && URL.canParse(url)) return url;
  throw invalid(`${shown}: ${quote(text)} holds no URL`, `${shown} http://localhost:8080/health`);
}

/** The syntax itself is checked where the pattern is compiled. */
function checkedPattern(pattern: string, shown: string): string {
  if (pattern.length <= longestPattern) return pattern;
  throw invalid(`${shown}: the pattern is longer than ${longestPattern} characters`);
}

const nearestCheck = (text: string, shown: string): string | undefined =>
  /^\d{1,5}$/.test(text) ? `did you mean ${shown} port:${text}?` : undefined;

/** `TERM`, `INT:5s,TERM`: signals in turn, each with how long to wait before the next. */
export function parseStopSignals(text: string, shown: string): readonly StopSignal[] {
  const steps = text.split(',').map((part): StopSignal => {
    const [signal, wait] = divide(part.trim());
    return { signal: parseSignal(signal, shown), waitMs: wait === '' ? null : parseDuration(wait, shown) };
  });
  if (steps.length > 8) throw invalid(`${shown} takes eight signals at most`);
  return steps;
}

/** `77`, `SIGTERM`, several after commas. */
export const parseExits = (texts: readonly string[], shown: string): readonly (number | string)[] =>
  texts.flatMap((text) => parseExit(text, shown));

export function parseExit(text: string, shown: string): readonly (number | string)[] {
  return text.split(',').map((part) => {
    const word = part.trim();
    if (!/^-?\d+$/.test(word)) return parseSignal(word, shown);
    if (/^\d{1,3}$/.test(word) && Number(word) <= 255) return Number(word);
    throw invalid(`${shown} takes exit codes from 0 to 255 and names of signals, not ${quote(word)}`);
  });
}

/** `db`, `db:ready`, `db:started,cache`; without a state: `ready`. */
export function parseDependencies(texts: readonly string[], shown: string): Readonly<Record<string, DependencyState>> {
  return Object.fromEntries(texts.flatMap((text) => parseDependency(text, shown)));
}

const dependencyStates: readonly string[] = ['ready', 'started', 'completed'] satisfies DependencyState[];

export function parseDependency(text: string, shown: string): readonly [string, DependencyState][] {
  return text.split(',').map((part) => {
    const [name, state = 'ready'] = part.trim().split(':');
    if (!dependencyStates.includes(state))
      throw invalid(`${shown} takes name, name:ready, name:started or name:completed, not ${quote(part)}`);
    if (!/^[A-Za-z0-9][\w.-]*(?:\/[\w.-]+)?$/.test(name!)) throw invalid(`${shown}: ${quote(part)} holds no name`);
    return [name!, state as DependencyState];
  });
}

/** `exit=COMMAND`, `fail=https://…`. */
export function parseHook(text: string, shown: string): [HookName, string] {
  const [, name, what] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
  if (hookNames.includes(name as HookName)) return [name as HookName, what!];
  throw invalid(
    `${shown} takes ${hookNames.join('|')}=COMMAND or =URL, not ${quote(text)}`,
    `${shown} fail='mail -s "$STEAD_NAME failed" me'`,
  );
}

/** `NAME=file:/path`. */
export function parseSecret(text: string, shown: string): [string, string] {
  const [, name, path] = /^([^=]+)=file:(.+)$/s.exec(text) ?? [];
  if (name !== undefined) return [name, path!];
  throw invalid(
    `${shown} takes NAME=file:PATH, not ${quote(text.replace(/=.*/s, '=…'))}`,
    `${shown} TOKEN=file:/etc/token`,
  );
}

/** A path, or `none`. */
export function parseLogFile(text: string, shown: string): string {
  if (text === 'none' || text === '/dev/null') return '/dev/null';
  if (text !== '' && text.length < 4000 && !text.endsWith('/') && !/[\0\n]/.test(text)) return text;
  throw invalid(`${shown} takes the path of a file or none, not ${quote(text)}`, `${shown} /var/log/web.log`);
}

/** The name of a variable. */
export function parseVariable(text: string, shown: string): string {
  if (/^[A-Za-z_]\w{0,254}$/.test(text)) return text;
  throw invalid(`${shown} takes the name of a variable, not ${quote(text)}`, `${shown} PORT`);
}

const limitNames = 'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack';

/** `nofile=4096`, `nofile=1024:4096`, `core=unlimited`, as prlimit(1) names them. */
export function parseLimit(text: string, shown: string): [string, readonly [number | null, number | null]] {
  const [, name = '', soft, hard = soft] = /^([a-z]+)=(\d{1,15}|unlimited)(?::(\d{1,15}|unlimited))?$/.exec(text) ?? [];
  const value = (word: string) => (word === 'unlimited' ? null : Number(word));
  if (!limitNames.split(' ').includes(name))
    throw invalid(
      `${shown} takes NAME=SOFT[:HARD], the name being one of ${limitNames}; not ${quote(text)}`,
      `${shown} nofile=4096`,
    );
  const pair = [value(soft!), value(hard!)] as const;
  if (pair[1] !== null && (pair[0] === null || pair[0] > pair[1]))
    throw invalid(`${shown}: in ${quote(text)} the soft limit is over the hard one`);
  return [name, pair];
}

/** `idle`, `best-effort:7`, `realtime:0`. */
export function parseIoNice(text: string, shown: string): { readonly class: number; readonly level: number } {
  const [, name, level] = /^(realtime|best-effort|idle)(?::([0-7]))?$/.exec(text) ?? [];
  if (name === undefined)
    throw invalid(`${shown} takes idle, best-effort:0 to 7 or realtime:0 to 7, not ${quote(text)}`);
  return { class: ['realtime', 'best-effort', 'idle'].indexOf(name) + 1, level: Number(level ?? 4) };
}

function divide(text: string): [string, string] {
  const at = text.indexOf(':');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(message: string, hint?: string): SteadError {
  return new SteadError('OPTION_INVALID', message, hint === undefined ? {} : { hint });
}

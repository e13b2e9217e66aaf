/** What `start` and `restart` say of one app: that it runs and where, or how it ended and what comes next. */
import { escapeControls } from '../../host/bytes.ts';
import type { AppView, ExitView, SocketView, StartedApp } from '../../protocol/api.ts';
import { pidsInWords } from './instances.ts';

/** One line: `web runs, pid 123`. */
export function startedLine({ app, changed }: Pick<StartedApp, 'app' | 'changed'>): string {
  const pids = pidsInWords(app);
  const name = escapeControls(app.name);
  if (pids === null) return `${name}: ${app.state}${app.reason === null ? '' : `, ${escapeControls(app.reason)}`}`;
  return `${name} ${changed ? 'started' : 'runs already'}, ${pids}`;
}

/** The addresses that a person may want to know, each once. */
export function addresses(sockets: readonly SocketView[]): readonly string[] {
  return [...new Set(sockets.map(({ address }) => escapeControls(inWords(address))))];
}

/** `[::]:5000` says little to most: it is reached as localhost:5000, and from outside. */
function inWords(address: string): string {
  const port = /^(?:0\.0\.0\.0|\[::\]):(\d+)$/.exec(address)?.[1];
  return port === undefined ? address : `localhost:${port} (${address}, all addresses)`;
}

/** How a program ended that didn't live through its first moments: its exit, its last lines, what comes next. */
export function earlyLines(
  { name }: Pick<AppView, 'name'>,
  early: NonNullable<StartedApp['early']>,
): readonly string[] {
  const after = early.exit.upMs === null ? '' : ` after ${early.exit.upMs} ms`;
  return [
    `${escapeControls(name)} ended${after}: ${escapeControls(early.exit.reason)}`,
    ...early.lastLines.map((line) => `  | ${escapeControls(line)}`),
    `Next: ${escapeControls(early.next)}`,
  ];
}

/** The exit code of a run as a shell gives it: 128+n by a signal, 124 for one that stead ended as it took too long; undefined where it isn't known. */
export function shellCode(
  { code, signal, cause }: Pick<ExitView, 'code' | 'signal' | 'cause'>,
  signals: Readonly<Record<string, number>>,
): number | undefined {
  // As timeout(1) has it.
  if (cause?.startsWith('timed out after ')) return 124;
  if (code !== null) return code;
  const number = signal === null ? undefined : (signals[signal] ?? realTime(signal));
  return number === undefined ? undefined : 128 + number;
}

/** `SIG34`, `SIGRTMIN+2` as some name the signals that have no name of their own. */
function realTime(signal: string): number | undefined {
  const [, plain, offset] = /^SIG(?:(\d+)|RTMIN\+?(\d*))$/.exec(signal) ?? [];
  if (plain !== undefined) return Number(plain);
  return offset === undefined ? undefined : 34 + Number(offset);
}

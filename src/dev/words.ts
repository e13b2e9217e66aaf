/** What the runner says of itself, on stderr. */
import { escapeControls } from '../host/bytes.ts';
import { signalName } from '../host/signals.ts';
import type { Change, Ended } from './step.ts';

export interface Teller {
  /** What goes on. */
  say(text: string): void;
  /** What went wrong: also for who wants to hear little. */
  warn(text: string): void;
  /** For who wants to hear all. */
  detail(text: string): void;
}

export interface TellerOptions {
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly hasColors: boolean;
  print(line: string): void;
}

const colors = { say: 32, warn: 31, detail: 2 } as const;

export function makeTeller({ isQuiet, isVerbose, hasColors, print }: TellerOptions): Teller {
  const line = (kind: keyof typeof colors, text: string) => {
    const whole = `stead: ${text.split('\n').map(escapeControls).join('\n')}`;
    print(hasColors ? `\x1b[${colors[kind]}m${whole}\x1b[0m` : whole);
  };
  return {
    say: (text) => {
      if (!isQuiet) line('say', text);
    },
    warn: (text) => line('warn', text),
    detail: (text) => {
      if (isVerbose) line('detail', text);
    },
  };
}

/** `src/a.ts changed (+3 more)`; several names are for who wants to hear all. */
export function changeWords({ paths, count }: Change): string {
  const [first = 'a file'] = paths;
  return count > 1 ? `${first} changed (+${count - 1} more)` : `${first} changed`;
}

/** `exit code 1`, `SIGSEGV`. */
export const endWords = ({ code, signal }: Pick<Ended, 'code' | 'signal'>): string =>
  code !== null
    ? code > 128 && code < 193
      ? `exit code ${code}: ${signalName(code - 128)}`
      : `exit code ${code}`
    : (signal ?? 'unknown');

/** `next`: milliseconds until it starts by itself. */
export function exitWords(ended: Ended, next: 'wait' | 'end' | number): string {
  const what = ended.isMissing
    ? 'no such command'
    : ended.code === 0
      ? 'clean exit'
      : `app crashed (${endWords(ended)})`;
  if (next === 'end') return what;
  return next === 'wait' ? `${what}, waiting for a change` : `${what}, starts again in ${next / 1000} s`;
}

export const ownWriteWords = (paths: readonly string[]): string =>
  `the program itself writes what it is restarted for (${paths.join(', ')}): it is not restarted for that any more. Leave it out with --ignore`;

export const gateWriteWords = (paths: readonly string[]): string =>
  `--before itself writes what it is run for (${paths.join(', ')}): what it writes there while it runs is no reason any more. Leave it out with --ignore`;

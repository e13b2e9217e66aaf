/** Signals that end stead dev, and what becomes of them for what it runs. */
import { isOnForegroundTerminal } from '../host/terminal-mode.ts';

/** Whoever is ended by default by one of them has to take the program with it. SIGUSR1 would open Node's inspector here. */
export const endSignals = [
  ...(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGALRM', 'SIGVTALRM'] as const),
  ...(['SIGUSR1', 'SIGUSR2', 'SIGXCPU', 'SIGABRT', 'SIGPWR'] as const),
] as const;
export type EndSignal = (typeof endSignals)[number];

/** By a key of the terminal, all in its foreground get them. */
const keySignals: ReadonlySet<string | null> = new Set(['SIGINT', 'SIGQUIT']);
/** Who asks us to end with one of these means the program. After a hang-up the terminal has told it as well, or nobody has. */
const passedOn: ReadonlySet<string | null> = new Set(['SIGINT', 'SIGTERM', 'SIGQUIT']);

/** What the program is ended with, and whether the terminal has sent it that; `signal` null: it ends for another reason. */
export function endBy(signal: EndSignal | null): { readonly signal: string; readonly isTold: boolean } {
  return {
    signal: signal !== null && passedOn.has(signal) ? signal : 'SIGTERM',
    isTold: keySignals.has(signal) && isOnForegroundTerminal(),
  };
}

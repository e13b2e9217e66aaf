/** The mode of the terminal: a program that was killed leaves it as it had set it, without echo as a rule. */
import { isatty } from 'node:tty';
import { isInForeground, readTerminalMode, setTerminalMode } from '../host/terminal-mode.ts';

/** Gives back a function that sets the mode to what it is now; one that does nothing where there is no terminal, or no koffi. */
export function keepTerminalMode(): () => void {
  if (!isatty(0)) return () => {};
  const mode = quietly(() => readTerminalMode(0));
  if (mode === null) return () => {};
  return () =>
    quietly(() => {
      // In the background the kernel would stop us for it.
      if (isInForeground() && readTerminalMode(0)?.equals(mode) === false) setTerminalMode(0, mode);
      return null;
    });
}

/** A terminal that is gone has no mode. */
function quietly<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

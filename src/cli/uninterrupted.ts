/** What must not end half-way: it ends, or goes back, before a Ctrl-C is heard. */
import { say } from './output.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function withoutInterrupts<T>(work: () => Promise<T>): Promise<T> {
  const wait = () => say('This ends in a moment; to stop half-way would leave two copies, or none.');
  for (const signal of signals) process.on(signal, wait);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.removeListener(signal, wait);
  }
}

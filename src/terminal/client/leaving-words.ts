import type { Outcome } from './link.ts';

/** What a person is told when a session is left, without a line end. `name`: as they would name it, fit for a terminal. */
export function leavingWords(name: string, { reason, exit }: Outcome): string {
  switch (reason) {
    case 'detached':
      return `[detached from ${name}; stead attach ${name}]`;
    case 'ended':
      return `[${name} ended: ${exitWords(exit)}]`;
    case 'stolen':
      return `[detached from ${name}: attached elsewhere with --steal]`;
    case 'stopped':
      return `[${name} was stopped]`;
    case 'lost':
      return `[connection to ${name} lost; it may still run: stead attach ${name}]`;
  }
}

function exitWords(exit: Outcome['exit']): string {
  if (exit?.reason) return exit.reason;
  if (exit?.signal) return exit.signal;
  return exit?.code == null ? 'how is not known' : `exit code ${exit.code}`;
}

/** Colour repeats what a word says already, on a terminal only. */
import type { StateName } from '../../protocol/api.ts';
import { isTerminal } from '../output.ts';

export type Paint = (text: string, colour: Colour) => string;
export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const codes: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

/** A painter for stdout: plain where it is no terminal, under NO_COLOR or with TERM=dumb. */
export function painter(env: NodeJS.ProcessEnv = process.env, isWanted = isTerminal(1)): Paint {
  if (!isWanted || env.NO_COLOR || env.TERM === 'dumb') return (text) => text;
  return (text, colour) => `\x1b[${codes[colour]}m${text}\x1b[0m`;
}

export const colourOfState: Readonly<Record<StateName, Colour>> = {
  running: 'green',
  completed: 'dim',
  stopped: 'dim',
  starting: 'yellow',
  stopping: 'yellow',
  waiting: 'yellow',
  backoff: 'red',
  failed: 'red',
  stuck: 'red',
};

const labelColours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Gives each label a colour of its own, in the order in which they come, for as long as there are colours. */
export function labelPainter(
  env: NodeJS.ProcessEnv = process.env,
  isWanted = isTerminal(1),
): (label: string) => string {
  if (!isWanted || env.NO_COLOR || env.TERM === 'dumb') return (label) => label;
  const given = new Map<string, number>();
  return (label) => {
    if (!given.has(label)) given.set(label, labelColours[given.size % labelColours.length]!);
    return `\x1b[${given.get(label)}m${label}\x1b[0m`;
  };
}

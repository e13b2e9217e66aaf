/** From a command line to a command: its flags parsed, help shown, failures told. */
import { type Flag, parseLine } from '../config/parse.ts';
import { resolveHome } from '../host/home.ts';
import type { Command } from './command.ts';
import { tellFailure } from './failure.ts';

const help: Flag = { name: 'help', short: 'h', type: 'boolean', text: 'show this' };
const json: Flag = { name: 'json', type: 'boolean', text: 'print JSON' };

/** All flags of a command, the common ones last. */
export function allFlags(command: Command): readonly Flag[] {
  return [...command.flags(), ...(command.hasJson === false ? [] : [json]), help];
}

export interface RunOptions {
  readonly isVerbGiven: boolean;
  /** Prints the help of the command. */
  readonly showHelp: (command: Command) => number | Promise<number>;
}

/** Runs a command and resolves with the exit code. */
export async function runCommand(command: Command, argv: readonly string[], options: RunOptions): Promise<number> {
  try {
    const line = command.parse?.(argv, [help]) ?? parsed(command, argv);
    if (line.values.help) return await options.showHelp(command);
    const words = command.takesRest || command.parse ? line.words : [...line.words, ...(line.rest ?? [])];
    const call = {
      ...line,
      words,
      home: resolveHome(),
      json: line.values.json === true,
      isVerbGiven: options.isVerbGiven,
    };
    return await command.run(call);
  } catch (error) {
    return tellFailure(error, { json: wantsJson(command, argv), exitOf: command.exitOf?.bind(command) });
  }
}

const parsed = (command: Command, argv: readonly string[]) =>
  parseLine(argv, allFlags(command), {
    stopAtWord: command.stopAtWord === true,
    takesNumbers: command.takesNumbers,
    strayHint: command.strayHint ?? `stead help ${command.name}`,
    toCome: command.flagsToCome,
  });

/** Also for a line that doesn't parse. */
function wantsJson(command: Command, argv: readonly string[]): boolean {
  if (command.hasJson === false) return false;
  const end = argv.findIndex((word) => word === '--' || (command.stopAtWord === true && !word.startsWith('-')));
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

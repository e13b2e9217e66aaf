/** Which command a line means, before anything of it is loaded. */
import { existsSync } from 'node:fs';
import { byteExactArgs } from '../client/argv.ts';
import { nearest } from '../config/nearest.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Command } from './command.ts';
import { tellFailure } from './failure.ts';
import { print } from './output.ts';
import { ownVersion } from './own-version.ts';
import { runCommand } from './run-command.ts';
import { allVerbWords, findVerb, insteadOf } from './verbs.ts';

export type LoadCommand = (name: string) => Command;

/** Runs the line that this process was started with; resolves with the exit code. */
export async function dispatch(load: LoadCommand, argv = byteExactArgs()): Promise<number> {
  const [first, ...others] = argv;
  try {
    if (first === '--version' || first === '-v' || first === '-V') return printVersion();
    if (first === '--help' || first === '-h') return await run('help', others, true);
    if (first === undefined || first.startsWith('-')) return await run('list', argv, false);
    const verb = findVerb(first, others);
    if (verb === undefined) throw unknownVerb(first);
    return await run(verb, others, true);
  } catch (error) {
    return tellFailure(error, { json: argv.includes('--json') });
  }

  function run(verb: string, args: readonly string[], isVerbGiven: boolean): Promise<number> {
    const showHelp = (command: Command) =>
      load('help').run({ home: '', json: false, values: {}, words: [command.name], rest: null, isVerbGiven });
    return runCommand(load(verb), args, { isVerbGiven, showHelp });
  }
}

function printVersion(): number {
  print(ownVersion());
  return 0;
}

function unknownVerb(word: string): SteadError {
  return new SteadError('USAGE', `There is no command ${JSON.stringify(word)}`, { hint: whatElse(word) });
}

function whatElse(word: string): string {
  const instead = insteadOf(word);
  if (instead !== undefined) return instead;
  if (existsSync(word)) return `stead start ${word.includes('/') ? word : `./${word}`}`;
  const near = nearest(word, allVerbWords());
  return near ? `did you mean stead ${near}? All commands: stead help` : 'all commands: stead help';
}

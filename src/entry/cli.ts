/** The command line's entry: finds the verb, loads its one bundle, runs it, ends with its exit code. */
import { join } from 'node:path';
import type { Command } from '../cli/command.ts';
import { command as list } from '../cli/commands/list.ts';
import { dispatch } from '../cli/dispatch.ts';
import { leaveGoneTerminal } from '../host/gone-terminal.ts';

/** One bundle per verb beside this one, so that a command loads two files. The most frequent verb is here and loads one. */
function loadCommand(name: string): Command {
  return name === 'list' ? list : require(join(__dirname, 'commands', `${name}.cjs`)).command;
}

dispatch(loadCommand).then((code) => {
  leaveGoneTerminal();
  process.exit(code);
});

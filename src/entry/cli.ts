/** The command line's entry: finds the verb, loads its one chunk, runs it, ends with its exit code. */
import { join } from 'node:path';
import type { Command } from '../cli/command.ts';
import { dispatch } from '../cli/dispatch.ts';

/** One bundle per verb beside this one, so that a command loads two files. */
const loadCommand = (name: string): Command => require(join(__dirname, 'commands', `${name}.cjs`)).command;

dispatch(loadCommand).then((code) => process.exit(code));

/** The program that the tests of `attach` run on a terminal. Its one argument is JSON (`AttachProgramOptions`); its last line says how it came out. */
import { readFileSync, writeFileSync } from 'node:fs';
import { attach } from '../../src/terminal/client/attach.ts';
import { leavingWords } from '../../src/terminal/client/leaving-words.ts';
import type { TerminalInput, TerminalOutput } from '../../src/terminal/client/user-terminal.ts';
import { parseDetachKeys } from '../../src/terminal/keys-detach.ts';

export interface AttachProgramOptions {
  readonly socket: string;
  readonly pidFile: string;
  readonly readOnly?: boolean;
  readonly detachKeys?: string;
  readonly needsTerminal?: boolean;
  /** The socket to ask next is named in this file. */
  readonly nextSocketFile?: string;
  /** On SIGUSR2 something goes wrong that nobody catches. */
  readonly throws?: boolean;
}

const options = JSON.parse(process.argv[2]!) as AttachProgramOptions;
if (options.throws)
  process.on('SIGUSR2', () => {
    throw new Error('a bug');
  });
writeFileSync(options.pidFile, `${process.pid}\n`);
const { nextSocketFile } = options;
attach({
  socket: options.socket,
  session: 'build:0',
  readOnly: options.readOnly ?? false,
  steal: false,
  detachKeys: parseDetachKeys(options.detachKeys ?? 'C-b d'),
  scrollback: 100,
  stdin: process.stdin as unknown as TerminalInput,
  stdout: process.stdout as unknown as TerminalOutput,
  env: process.env,
  homeId: 'home',
  needsTerminal: options.needsTerminal ?? false,
  ...(nextSocketFile
    ? { reconnect: async () => ({ socket: readFileSync(nextSocketFile, 'utf8').trim(), session: 'build:0' }) }
    : {}),
}).then(
  (outcome) => {
    writeFileSync(2, `${leavingWords('build', outcome)}\n`);
    process.exit(0);
  },
  (error) => {
    writeFileSync(2, `failed: ${error.message}\n`);
    process.exit(5);
  },
);

/** The exit code that `wait` and `run -f` hand over. 1 to 123 belong to the program; the others as timeout(1) and nohup(1) have them. */
import { constants } from 'node:os';
import { escapeControls } from '../host/bytes.ts';
import type { WaitResponse } from '../protocol/api.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { say } from './output.ts';
import { shellCode } from './render/started.ts';

export const timedOutExit = 124;
export const ownFailureExit = 125;
export const notExecutableExit = 126;
export const notFoundExit = 127;

/** Where the command is at fault. */
export const commandExits: { readonly [code in ErrorCode]?: number } = {
  NOT_EXECUTABLE: notExecutableExit,
  INTERPRETER_NOT_FOUND: notExecutableExit,
  ENVIRONMENT_TOO_LARGE: notExecutableExit,
  PROGRAM_NOT_FOUND: notFoundExit,
};

/** The program's own code, 128+n if signal n killed it, 0 if it was never to run, 125 where nobody knows. */
export function programExit({ name, state, exit }: WaitResponse['results'][number]): number {
  if (exit === null) return state === 'failed' || state === 'stuck' ? ownFailureExit : 0;
  const code = shellCode(exit, constants.signals);
  if (code === undefined) say(`stead: how ${escapeControls(name)} ended isn't known`);
  return code ?? ownFailureExit;
}

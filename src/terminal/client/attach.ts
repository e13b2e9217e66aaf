/** `attach`: a session's terminal as the user's own, until one of the two sides has enough; without a terminal, its output as a stream. */
import type { Readable, Writable } from 'node:stream';
import { SteadError } from '../../protocol/errors.ts';
import type { DetachKeys } from '../keys-detach.ts';
import { Attachment } from './attachment.ts';
import type { Outcome, Place } from './link.ts';
import { refuseNesting } from './nesting.ts';
import { Streaming } from './streaming.ts';
import { isTerminal, type TerminalInput, type TerminalOutput } from './user-terminal.ts';

export type { Outcome, Place } from './link.ts';

export interface AttachOptions extends Place {
  readonly readOnly: boolean;
  /** All other clients go. */
  readonly steal: boolean;
  /** Null: no keys detach. */
  readonly detachKeys: DetachKeys | null;
  /** Lines above the screen, for the user's own scrollback. */
  readonly scrollback: number;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly env: NodeJS.ProcessEnv;
  /** As it stands in STEAD_RUN_ID. */
  readonly homeId: string;
  /** Where nothing can be drawn: all that it has put out so far comes first. */
  readonly isFromStart?: boolean;
  /** Refuses what is no terminal instead of streaming. */
  readonly needsTerminal?: boolean;
  /** Asks the daemon where the session can be had now that its host is gone. Without it the same place is tried again. */
  readonly reconnect?: () => Promise<Place>;
}

/** Rejects with a SteadError if the session can't be had. Whatever happens, the terminal is as it was before. */
export async function attach(options: AttachOptions): Promise<Outcome> {
  refuseNesting(options.session, options.homeId, options.env);
  const lack = lackOf(options);
  if (lack === null) return new Attachment(options as TerminalAttachOptions).run();
  if (options.needsTerminal) throw noTerminal(options.session, lack);
  return new Streaming(options).run();
}

export interface TerminalAttachOptions extends AttachOptions {
  readonly stdin: TerminalInput;
  readonly stdout: TerminalOutput;
}

/** What keeps us from drawing on a terminal, as a clause; null if nothing does. */
function lackOf({ stdin, stdout, env }: AttachOptions): string | null {
  if (!isTerminal(stdin)) return 'stdin is not a terminal';
  if (!isTerminal(stdout)) return 'stdout is not a terminal';
  return env.TERM === 'dumb' ? 'TERM=dumb says that the terminal can only print' : null;
}

const noTerminal = (session: string, lack: string): SteadError =>
  new SteadError('UNSUPPORTED', `Cannot attach to "${session}": ${lack}`, {
    hint: 'without one: stead logs -f follows the output, stead send types, stead capture shows the screen',
  });

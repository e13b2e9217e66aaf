/**
 * What daemon and pty host say to each other over `control.sock`, as JSON lines (`line-channel.ts`). The daemon asks, with an `id`; each request is answered by a
 * line with the same `id` and `ok: true`, or an `error`. The host tells of changes by lines with an `event`.
 */
import type { SessionExit, Size } from './frames-messages.ts';

/** Whose size a session has, of those attached that may type: who did something last, the smallest, the largest; or none's. */
export const resizePolicies = ['latest', 'smallest', 'largest', 'manual'] as const;
export type ResizePolicy = (typeof resizePolicies)[number];

/** One run of one session. `session` is `<app>:<index>`. */
export interface SessionRun {
  readonly session: string;
  readonly run: number;
}

/** Take this run's terminal up; its master comes with the line. Without one and with `exit`: a run that is over, to be looked at. */
export interface TakeOrder extends SessionRun, Size {
  /** Absolute. The FIFO `output` is in it, and the file `screen` will be. */
  readonly runDirectory: string;
  /** Absolute; it is there. */
  readonly log: string;
  /** The offset in the log at which this run's output begins. */
  readonly logFrom: number;
  readonly resize: ResizePolicy;
  /** Lines that are kept above the screen. */
  readonly scrollback: number;
  /** Nothing of this run has been written by anybody: its queries are still to be answered. */
  readonly isNew: boolean;
  readonly exit?: SessionExit | undefined;
}

/** The run's program is over. `goesOn`: it will be started again, and who is attached stays. */
export interface EndedOrder extends SessionRun {
  readonly exit: SessionExit;
  readonly goesOn: boolean;
}

export interface SessionView extends SessionRun, Size {
  /** How many are attached. */
  readonly clients: number;
  readonly title: string;
  /** Why its log takes nothing (ENOSPC …), so that the program waits in its write; null: it does. */
  readonly problem?: string | null;
}

export type ControlRequest =
  | ({ readonly do: 'take' } & TakeOrder)
  | ({ readonly do: 'ended' } & EndedOrder)
  | { readonly do: 'forget'; readonly session: string }
  | { readonly do: 'masters' }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  | ({ readonly do: 'resize'; readonly session: string } & Size)
  | { readonly do: 'list' }
  /** Saves what it knows of screens, and ends; not answered. What runs goes on, for another host to take up. */
  | { readonly do: 'quit' };

export interface ControlFailure {
  readonly code: string;
  readonly message: string;
}

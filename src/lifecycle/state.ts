/**
 * The automaton of one instance: its states, what can happen to it, and what is to be done about it. Plain data; times are milliseconds
 * since boot (`Ms`), so that they mean the same to the next daemon.
 */
import type { AppSpec } from '../protocol/spec.ts';

export type Ms = number;

/** How the main program of a run ended. `code` and `signal` both null: it can't be known. */
export interface Exit {
  readonly run: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly ambiguous: boolean;
  readonly upMs: number | null;
}

/** What is to happen when the tree of a stopping instance is empty. */
export type Goal = 'stay' | 'start' | 'delete' | 'policy';

export type State =
  | { readonly name: 'stopped'; readonly reason: string }
  /** Launched, not yet on record as running. */
  | { readonly name: 'starting'; readonly run: number; readonly since: Ms }
  | { readonly name: 'running'; readonly run: number; readonly since: Ms }
  | Stopping
  | { readonly name: 'backoff'; readonly until: Ms; readonly reason: string }
  | { readonly name: 'completed'; readonly reason: string }
  | { readonly name: 'failed'; readonly reason: string }
  | {
      readonly name: 'stuck';
      readonly run: number;
      readonly goal: Goal;
      readonly exit: Exit | null;
      readonly pids: readonly number[];
    };

export interface Stopping {
  readonly name: 'stopping';
  readonly run: number;
  /** `leaving`: what a job left behind may live on until `deadline`; `asked`: told to end by then; `killing`: SIGKILL was sent. */
  readonly phase: 'leaving' | 'asked' | 'killing';
  readonly deadline: Ms;
  readonly goal: Goal;
  /** The end of the main program, once known. */
  readonly exit: Exit | null;
  readonly treeIsEmpty: boolean;
  /** The main program had to be killed, as it did not end in time. */
  readonly killed: boolean;
}

export interface Model {
  readonly state: State;
  /** Automatic restarts since the app was made or `reset`. */
  readonly restarts: number;
  /** Ends in a row without `stableAfterMs` of running in between: what back-off and `maxRestarts` go by. */
  readonly streak: number;
  /** The number of the latest run; 0 before the first. */
  readonly run: number;
}

export type Event =
  | { readonly type: 'start' }
  | { readonly type: 'stop'; readonly goal: 'stay' | 'delete' }
  | { readonly type: 'restart' }
  | { readonly type: 'reset' }
  /** The run is on record: the program is there. */
  | { readonly type: 'launched'; readonly run: number }
  /** The run can't happen: no process could be made, or the launcher gave up before the program. */
  | { readonly type: 'launchFailed'; readonly run: number; readonly reason: string; readonly retry: boolean }
  /** The main program ended. */
  | { readonly type: 'exited'; readonly exit: Exit }
  /** Nothing of the run is alive. */
  | { readonly type: 'treeEmptied'; readonly run: number }
  /** The answer to `survey`: these are alive. */
  | { readonly type: 'treeAlive'; readonly run: number; readonly pids: readonly number[] }
  /** The armed timer fired. */
  | { readonly type: 'due' };

export type Effect =
  /** Take this run number and spawn a launcher; answered by `launched`, `launchFailed` or `exited`. */
  | { readonly do: 'launch'; readonly run: number }
  /** Make a run that is being launched never happen, if there is still time: `launchFailed` then. */
  | { readonly do: 'fence'; readonly run: number }
  /** The stop signal (and SIGCONT) to the whole tree; then as `watchTree`. */
  | { readonly do: 'signal'; readonly signal: string }
  /** SIGKILL to the whole tree; then as `watchTree`. */
  | { readonly do: 'kill' }
  /** Say `treeEmptied` when nothing of the run is alive any more: at once if that is so now. */
  | { readonly do: 'watchTree' }
  /** Look now: `treeEmptied` or `treeAlive`. */
  | { readonly do: 'survey' }
  /** Arm the one timer of this instance, or disarm it (null). */
  | { readonly do: 'timer'; readonly at: Ms | null }
  /** Remove the app from disk and memory. */
  | { readonly do: 'forget' };

export interface Context {
  readonly spec: AppSpec;
  readonly now: Ms;
  /** In [0, 1): for the jitter of the back-off. */
  readonly random: number;
}

export interface Step {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export const newModel: Model = {
  state: { name: 'stopped', reason: 'not started yet' },
  restarts: 0,
  streak: 0,
  run: 0,
};

/**
 * The automaton of one instance: its states, what can happen to it, and what is to be done about it. Plain data; times are milliseconds
 * since boot (`Ms`), so that they mean the same to the next daemon.
 */
import type { AppSpec, Readiness } from '../protocol/spec.ts';

export type Ms = number;

/** How the main program of a run ended. `code` and `signal` both null: it can't be known. */
export interface Exit {
  readonly run: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly ambiguous: boolean;
  readonly upMs: number | null;
}

/**
 * What is to happen when the tree of a stopping instance is empty. `retire`: another run has its place, or there are to be fewer instances; `await`: the next
 * connection starts it.
 */
export type Goal = 'stay' | 'start' | 'delete' | 'policy' | 'retire' | 'await';

/**
 * Of two runs of one instance during a reload: the one that serves is `main`; the next one is its `candidate` until it is ready; then it is `main`, and the other
 * `retiring`.
 */
export type Role = 'main' | 'candidate' | 'retiring';

/** Who wants a start: a person, who is told at once that it failed, or the daemon by itself, which goes on trying. */
export type Asker = 'user' | 'daemon';

export type State =
  | { readonly name: 'stopped'; readonly reason: string }
  | Waiting
  | Starting
  /** `until`: when a run with a time limit is ended. */
  | { readonly name: 'running'; readonly run: number; readonly since: Ms; readonly until: Ms | null }
  | Stopping
  | { readonly name: 'backoff'; readonly until: Ms; readonly reason: string }
  | { readonly name: 'completed'; readonly reason: string }
  /** `until`: when it is tried again. `isLate`: it was not ready in time. */
  | { readonly name: 'failed'; readonly reason: string; readonly until: Ms | null; readonly isLate: boolean }
  | {
      readonly name: 'stuck';
      readonly run: number;
      readonly goal: Goal;
      readonly exit: Exit | null;
      readonly cause: Cause | null;
      readonly pids: readonly number[];
    };

/** Wanted, and not its turn. */
export interface Waiting {
  readonly name: 'waiting';
  /** `turn`: for dependencies, other jobs, a slot; `time`: for the next time of its schedule; `connection`: for the next one on its sockets. */
  readonly for: 'turn' | 'time' | 'connection';
  readonly reason: string;
  /** What it waits for will not come by itself. */
  readonly isBlocked: boolean;
  readonly by: Asker;
  /** It follows a crash. */
  readonly isRestart: boolean;
}

/** Launched, not on record as running or not ready. */
export interface Starting {
  readonly name: 'starting';
  readonly run: number;
  readonly since: Ms;
  readonly by: Asker;
  /** The program is there. */
  readonly isLaunched: boolean;
  /** When it must be ready; null until it is there. */
  readonly deadline: Ms | null;
}

/** Why stead ended a run that nobody asked to end. It counts as a failure, whatever the exit code. */
export interface Cause {
  readonly reason: string;
  /** A start of a person's that was not ready in time: not tried again. */
  readonly isFinal: boolean;
}

export interface Stopping {
  readonly name: 'stopping';
  readonly run: number;
  /** `leaving`: what a job left behind may live on until `deadline`; `asked`: told to end by then; `killing`: SIGKILL was sent. */
  readonly phase: 'leaving' | 'asked' | 'killing';
  /** Its sequence begins with draining. */
  readonly drains: boolean;
  /** Which step of the stop sequence was last. */
  readonly step: number;
  readonly deadline: Ms;
  readonly goal: Goal;
  /** The end of the main program, once known. */
  readonly exit: Exit | null;
  readonly treeIsEmpty: boolean;
  /** The main program had to be killed, as it did not end in time. */
  readonly killed: boolean;
  readonly cause: Cause | null;
}

export interface Model {
  readonly state: State;
  /** Automatic restarts since the app was made or `reset`. */
  readonly restarts: number;
  /** Ends in a row without `stableAfterMs` of running in between: what back-off and `maxRestarts` go by. */
  readonly streak: number;
  /** When it was restarted automatically, within the window of `maxRestarts`; empty without one. */
  readonly recent: readonly Ms[];
  /** Runs of a schedule that wait for the one before. */
  readonly queued: number;
  /** The latest time of the schedule that was acted on, milliseconds since the epoch; 0 for none. */
  readonly lastTick: number;
  /** The number of the latest run; 0 before the first. */
  readonly run: number;
}

export type Event =
  | { readonly type: 'start'; readonly by: Asker }
  | { readonly type: 'stop'; readonly goal: 'stay' | 'delete' | 'retire' }
  | { readonly type: 'restart' }
  | { readonly type: 'reset' }
  /** The run is on record: the program is there. */
  | { readonly type: 'launched'; readonly run: number }
  /** The run can't happen: no process could be made, or the launcher gave up before the program. */
  | { readonly type: 'launchFailed'; readonly run: number; readonly reason: string; readonly retry: boolean }
  /** The program says or shows that it is ready. */
  | { readonly type: 'ready'; readonly run: number }
  /** It needs so much longer: for its start, or for its end. */
  | { readonly type: 'extend'; readonly run: number; readonly ms: Ms }
  /** It is not well: a check failed, it takes too much memory. */
  | { readonly type: 'unwell'; readonly run: number; readonly reason: string }
  /** It could not be asked in this way (a stop command that fails), or has done what it was asked (it has drained): the next step of the sequence comes at once. */
  | { readonly type: 'notAsked'; readonly run: number }
  /** What decides whose turn it is has changed. */
  | { readonly type: 'turn' }
  /** A time of its schedule, milliseconds since the epoch. */
  | { readonly type: 'tick'; readonly at: number }
  /** A connection waits on the sockets that are held for it. */
  | { readonly type: 'connection' }
  /** It had no connection for so long that it is stopped until the next one. */
  | { readonly type: 'idle'; readonly run: number }
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
  /** Watch for its being ready: `ready` then. */
  | { readonly do: 'watchReady'; readonly run: number }
  /** Look whether it is well from now on, and stays within what is measured: `unwell` if not. */
  | { readonly do: 'watchHealth'; readonly run: number }
  /** Ask the program to end in another way than by a signal; then as `watchTree`. */
  | { readonly do: 'ask'; readonly how: 'drain' | 'command' | 'stdin' | 'message' }
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
  /** Watch for a connection on its sockets: `connection` then. */
  | { readonly do: 'watchConnections' }
  /** Nothing of this run is left, and another has its place. */
  | { readonly do: 'retired' }
  /** Remove the app from disk and memory. */
  | { readonly do: 'forget' };

export interface Context {
  readonly spec: AppSpec;
  readonly now: Ms;
  /** In [0, 1): for the jitter of the back-off. */
  readonly random: number;
  /** Null: it may start now. */
  readonly turn: null | { readonly reason: string; readonly isBlocked: boolean };
  readonly role: Role;
  /** No run of this instance, in whatever role, has had this number or a higher one. */
  readonly nextRun: number;
  /** It can be told to drain: its program has the preload. */
  readonly canDrain: boolean;
  /** What it must show to be ready; null: that it is launched. */
  readonly ready: Readiness | null;
  /** A connection waits on the sockets that are held for it. */
  readonly hasConnection: boolean;
  /** How long the crashes of all apps together make an automatic restart wait. */
  readonly crashDelayMs: Ms;
}

export interface Step {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export const newModel: Model = {
  state: { name: 'stopped', reason: 'not started yet' },
  restarts: 0,
  streak: 0,
  recent: [],
  queued: 0,
  lastTick: 0,
  run: 0,
};

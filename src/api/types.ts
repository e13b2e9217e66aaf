/** What the package exports: the types of `import { connect } from 'stead'`. docs/api.md explains them. */
import type {
  ActionResult,
  AdoptResponse,
  AppDetail,
  ApplyResponse,
  AppView,
  DaemonView,
  EventView,
  LogLineView,
  RunResponse,
  StartedApp,
  StateName,
  WaitResponse,
  WhyView,
} from '../protocol/api.ts';
import type { SpecOptions } from '../protocol/spec.ts';
import type { Captured, SessionExit, Waited } from '../protocol/terminal.ts';

export interface ConnectOptions {
  /** The home directory; without it `$STEAD_HOME`, else `~/.stead`. */
  readonly home?: string;
  /** Starts the daemon where it is needed and does not run. Off: what needs it throws DAEMON_UNREACHABLE. */
  readonly start?: boolean;
  /** What is on record as who asked: `stead why` and events show it. Without it the name of the program's main script. */
  readonly by?: string;
  readonly signal?: AbortSignal;
}

/** What every method takes. Aborted, it rejects with the signal's reason and leaves no socket, listener or timer behind; what the daemon has begun goes on. */
export interface Cancellable {
  readonly signal?: AbortSignal;
}

/** `'web'`, `'web:1'`, `'3'` (an id), `'@group'`, `'all'`, or several. */
export type Selectors = string | readonly string[];

/** Options of an app as docs/options.md lists them, in camel case: times in milliseconds, sizes in bytes. */
export interface AppOptions extends Omit<SpecOptions, 'env'> {
  /** Over the environment of this process, which an app has otherwise. */
  readonly env?: Readonly<Record<string, string>> | readonly string[];
}

export interface WaitingOptions {
  /** False: resolve when it is durable, without waiting for the effect. */
  readonly wait?: boolean;
}

/** `'server.js'`, several of such, or a command line word by word. */
export type Target = string | readonly string[] | { readonly command: readonly string[] };

export interface StartOptions extends AppOptions, WaitingOptions, Cancellable {
  /** Arguments of the script or command. */
  readonly args?: readonly string[];
}

export interface RunOptions extends AppOptions, Cancellable {}

export interface ActOptions extends WaitingOptions, Cancellable {}

export interface RestartOptions extends ActOptions {
  /** With the environment of this process in place of the one that it has. */
  readonly updateEnv?: boolean;
}

export interface ReloadOptions extends RestartOptions {
  /** So many instances are replaced at a time. 1. */
  readonly parallel?: number;
  /** So many are replaced, then it waits for `step: 'continue'` or `'abort'`. */
  readonly canary?: number;
  readonly step?: 'begin' | 'continue' | 'abort';
}

export interface DeleteOptions extends ActOptions {
  /** Removes the logs, too. */
  readonly purge?: boolean;
  /** Forgets it without ending it: only what was adopted. */
  readonly leaveRunning?: boolean;
}

/** As a file has it: docs/stead.config.schema.json. */
export interface Config {
  readonly apps: readonly object[] | Readonly<Record<string, object>>;
  readonly defaults?: object;
  readonly groups?: Readonly<Record<string, object>>;
  readonly project?: string;
}

export interface ApplyOptions extends WaitingOptions, Cancellable {
  /** What is relative is so to this; of files: to the file. Without it the present directory. */
  readonly cwd?: string;
  /** Of a config that is given as an object: the path by which its apps are known as its own. Without it the program's main script. */
  readonly file?: string;
  /** With what is said under `env_<profile>`. */
  readonly profile?: string;
  /** Only these of its apps. */
  readonly only?: readonly string[];
  /** What it made earlier and names no more is ended and forgotten. */
  readonly prune?: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean;
}

export interface WaitOptions extends Cancellable {
  /** Throws TIMED_OUT after this. Without it: waits for ever. */
  readonly timeoutMs?: number;
}

export interface EventsOptions extends Cancellable {
  /** Only of these apps, by name, `@group` or `all`, as they are when it is called. */
  readonly select?: Selectors;
  /** Begins with what happened after the event of this id, as far as it is kept. Without it: with what happens from now on. */
  readonly after?: number;
  /** False: what is there, then it ends. */
  readonly follow?: boolean;
}

export interface LogsOptions extends Cancellable {
  /** So many of the last lines, or `all`. 20; with `since`, `until` or `grep` all that fit. */
  readonly lines?: number | 'all';
  /** What came at this time or later: a Date, milliseconds since the epoch, or a text that Date reads. */
  readonly since?: Date | number | string;
  /** What came before this time. */
  readonly until?: Date | number | string;
  /** Goes on with what comes, until all these apps are deleted. */
  readonly follow?: boolean;
  /** Only what went to stdout or stderr. */
  readonly stream?: 'out' | 'err';
  /** Only lines that match; of a RegExp the flag `i` counts alone. */
  readonly grep?: string | RegExp;
  readonly ignoreCase?: boolean;
  /** The lines that do not match. */
  readonly invert?: boolean;
  /** So many lines around each match, marked with `isContext`. */
  readonly context?: number;
  /** Is told when bytes were rotated away before they were read. */
  readonly onMissed?: (missed: {
    readonly name: string;
    readonly index: number;
    readonly stream: 'out' | 'err';
    readonly bytes: number;
  }) => void;
}

export interface AttachOptions extends Cancellable {
  /** The size of the terminal, given both; without them the session's stays. */
  readonly cols?: number;
  readonly rows?: number;
  /** Looks on: nothing is sent. */
  readonly readOnly?: boolean;
  /** Detaches all others. */
  readonly steal?: boolean;
  /** What the output begins with: what redraws the screen, all that this run has put out, or nothing. `screen`. */
  readonly from?: 'screen' | 'start' | 'now';
  /** With `screen`: so many lines above it as well. 0. */
  readonly scrollback?: number;
}

/** How an attachment ended. `lost`: the terminals' host, and none came in its place. */
export interface SessionEnd {
  readonly reason: 'detached' | 'ended' | 'stolen' | 'stopped' | 'lost';
  /** How the program ended; null unless it did. */
  readonly exit: SessionExit | null;
}

/** A program's terminal: what it puts out is iterated over once, until the program ends or it is detached. */
export interface Session extends AsyncIterable<Uint8Array> {
  readonly name: string;
  readonly index: number;
  /** Types it. Resolves once there is room for more. */
  write(input: string | Uint8Array): Promise<void>;
  resize(cols: number, rows: number): void;
  /** Leaves it; the program goes on. */
  detach(): Promise<void>;
  /** Resolves when it is over. Rejects with the signal's reason, or with what the host refuses. */
  readonly ended: Promise<SessionEnd>;
}

/** Bytes or a text as they are, a line with its Enter, or keys by their names: `C-c`, `Up`, `Enter`. */
export type Input = string | Uint8Array | { readonly line: string } | { readonly keys: string };

export interface CaptureOptions extends Cancellable {
  /** With colours and attributes, as escape sequences. */
  readonly ansi?: boolean;
  /** So many last lines, those above the screen included; without it the screen. */
  readonly lines?: number;
}

/** What an app uses now. */
export interface AppMetrics {
  readonly name: string;
  readonly id: number;
  readonly state: StateName;
  /** When it was looked at, ISO 8601. */
  readonly at: string;
  /** Percent of one core, of all instances; null when nothing runs. */
  readonly cpu: number | null;
  /** RSS of all trees in bytes; null when nothing runs. */
  readonly memory: number | null;
  /** Automatic restarts since it was made or `reset`. */
  readonly restarts: number;
  /** What it listens on. */
  readonly ports: readonly string[];
  readonly instances: readonly {
    readonly index: number;
    readonly state: StateName;
    readonly pid: number | null;
    readonly cpu: number | null;
    readonly memory: number | null;
    readonly restarts: number;
    /** How long it has been in this state; null if that isn't known. */
    readonly sinceMs: number | null;
  }[];
}

/** One home's stead. Everything rejects with a SteadError, but for a signal's reason. */
export interface Stead {
  /** The home directory, absolute. */
  readonly home: string;

  /** Scripts, commands in PATH or names of apps; or one command line. */
  start(target: Target, options?: StartOptions): Promise<readonly StartedApp[]>;
  /** A command line, word by word, or one text for the shell. */
  run(command: string | readonly string[], options?: RunOptions): Promise<RunResponse>;
  /** Config files, or a config as an object. */
  apply(config: string | readonly string[] | Config, options?: ApplyOptions): Promise<ApplyResponse>;
  adopt(pid: number, options?: AppOptions & Cancellable): Promise<AdoptResponse>;

  list(select?: Selectors, options?: Cancellable): Promise<readonly AppView[]>;
  show(select: string, options?: Cancellable & { readonly showEnv?: boolean }): Promise<AppDetail>;
  why(select: string, options?: Cancellable): Promise<WhyView>;
  metrics(select?: Selectors, options?: Cancellable): Promise<readonly AppMetrics[]>;

  stop(select: Selectors, options?: ActOptions): Promise<readonly ActionResult[]>;
  restart(select: Selectors, options?: RestartOptions): Promise<readonly ActionResult[]>;
  reload(select: Selectors, options?: ReloadOptions): Promise<readonly ActionResult[]>;
  /** `4`, `'+2'`, `'-1'`, `'max'`. */
  scale(select: Selectors, to: number | string, options?: ActOptions): Promise<readonly ActionResult[]>;
  delete(select: Selectors, options?: DeleteOptions): Promise<readonly ActionResult[]>;
  /** `'SIGHUP'`, `'HUP'`, or a number. */
  signal(select: Selectors, signal: string | number, options?: Cancellable): Promise<readonly ActionResult[]>;
  set(select: Selectors, settings: AppOptions, options?: Cancellable): Promise<readonly ActionResult[]>;
  /** Options by their names (`'maxMemory'`), or a variable (`'env=NAME'`): back to the default. */
  unset(select: Selectors, names: readonly string[], options?: Cancellable): Promise<readonly ActionResult[]>;
  rename(select: string, to: string, options?: Cancellable): Promise<readonly ActionResult[]>;
  reset(select: Selectors, options?: Cancellable): Promise<readonly ActionResult[]>;
  flush(select: Selectors, options?: Cancellable): Promise<readonly ActionResult[]>;

  /** Until nothing of these apps runs or will run by itself, also over a death of the daemon. */
  wait(select: Selectors, options?: WaitOptions): Promise<WaitResponse['results']>;
  /** Until the program's terminal shows a line that matches (RE2's syntax), or it ends. */
  waitForLine(select: string, pattern: string, options?: WaitOptions): Promise<Waited>;
  /** What happens, in order and each once, also over a death of the daemon. Begins when it is called. */
  events(options?: EventsOptions): AsyncIterableIterator<EventView>;
  /** What apps have printed and print. Needs no daemon. */
  logs(select?: Selectors, options?: LogsOptions): AsyncIterableIterator<LogLineView>;

  attach(select: string, options?: AttachOptions): Promise<Session>;
  /** Into the program's terminal, or its stdin. */
  send(select: string, input: Input, options?: Cancellable): Promise<void>;
  capture(select: string, options?: CaptureOptions): Promise<Captured>;

  /** Also where none runs: `running` is false then. */
  daemonStatus(options?: Cancellable): Promise<DaemonView>;
  /** What runs goes on. */
  daemonStop(options?: Cancellable): Promise<void>;

  /** Ends all that goes on: what is asked rejects with CLIENT_CLOSED, iterations end, sessions are detached. No app notices. */
  close(): Promise<void>;
}

/**
 * The control API: HTTP/1.1 with JSON on the home's Unix socket. Requests change things (POST) or read (GET); an answer is given when
 * the effect is there. Times are ISO 8601 strings, durations milliseconds named `…Ms`, sizes bytes.
 * Text that may hold bytes that are no UTF-8 (argv, environment, paths) travels as `host/bytes.ts` says.
 */
import type { ErrorBody } from './errors.ts';
import type { AppSpec, SpecOptions } from './spec.ts';

export type StateName =
  | 'stopped'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'backoff'
  | 'failed'
  | 'completed'
  | 'stuck'
  | 'waiting';

export type Want = 'running' | 'stopped' | 'deleted';

/** How one run ended. `code` for an exit, `signal` for a death by signal; both null where it can't be known. */
export interface ExitView {
  /** When it ended, ISO 8601; null if unknown. */
  readonly at: string | null;
  /** Of which instance. Absent in records of earlier versions, which had one each. */
  readonly index?: number;
  readonly run: number;
  readonly pid: number | null;
  readonly code: number | null;
  /** `SIGKILL` …; for status 130 and 141 without proof either way, `ambiguous` is true and both `code` and `signal` are given. */
  readonly signal: string | null;
  readonly coreDumped: boolean;
  readonly ambiguous: boolean;
  readonly upMs: number | null;
  /** In words: `exit code 3`, `killed by SIGKILL`. */
  readonly reason: string;
  /** Why stead ended it: who asked, or what was wrong with it; null for an end of its own. Absent in records of versions before 0.2. */
  readonly cause?: string | null;
}

/** Why an app is as it is. */
export interface WhyView {
  readonly name: string;
  /** Null or absent: stead itself. */
  readonly keeper?: Keeper | null;
  readonly state: StateName;
  readonly want: Want;
  /** Who wanted that: the command. */
  readonly by: string;
  readonly reason: string | null;
  readonly since: string | null;
  readonly restarts: number;
  readonly nextRun: string | null;
  /** The last five, newest last; `explained`: what the number or signal means. */
  readonly exits: readonly (ExitView & { readonly explained: string | null })[];
  /** What was found to be wrong with what it needs. */
  readonly findings: readonly { readonly what: string; readonly hint: string }[];
  /** Of the last run's stderr or, if that is empty, stdout: the first lines and the last, `…` standing for what is between. */
  readonly lastLines: readonly string[];
}

/** One thing that happened to an instance. */
export interface EventView {
  /** Grows by one with each event of the home. */
  readonly id: number;
  /** ISO 8601. */
  readonly at: string;
  /** `start ready exit restart backoff wait unwell fail complete stop stuck delete`; a newer daemon may know more. */
  readonly type: string;
  readonly app: string;
  readonly index: number;
  readonly run: number;
  readonly pid: number | null;
  readonly state: StateName;
  /** In words; null where the type says it all. */
  readonly reason: string | null;
  /** Of `start`, `stop` and `delete`: who wanted it. */
  readonly by: string | null;
  /** Of `exit`. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface EventsResponse {
  readonly events: readonly EventView[];
}

export interface InstanceView {
  readonly index: number;
  readonly state: StateName;
  readonly ready: boolean;
  readonly pid: number | null;
  /** Since when it is in this state, ISO 8601. */
  readonly since: string | null;
  /** Automatic restarts since the app was made or `reset`. */
  readonly restarts: number;
  /** RSS of the tree in bytes; null when nothing runs. */
  readonly memory: number | null;
  /** Percent of one core: since the last look within 30 s, else over the run's life; null when nothing runs. */
  readonly cpu: number | null;
  readonly reason: string | null;
  /** What the program says of itself (`STATUS=` by sd_notify); null if nothing. Absent in answers of versions before 0.2. */
  readonly status?: string | null;
  /** A second run of the same index: one that is not ready to take the place of the first, or whose place was taken. Absent: the main one. */
  readonly role?: 'candidate' | 'retiring';
  /** Its terminal, where it has one and the pty host has told of it. */
  readonly terminal?: TerminalView | null;
}

export interface TerminalView {
  readonly cols: number;
  readonly rows: number;
  /** How many are attached. */
  readonly clients: number;
  /** What the program called its window; empty if nothing. */
  readonly title: string;
  /** Why its log takes nothing, so that the program waits (ENOSPC: the disk is full); null or absent: it does. */
  readonly problem?: string | null;
}

/** Who keeps an app in stead's place: systemd, to which it was handed over. */
export interface Keeper {
  readonly by: 'systemd';
  readonly scope: 'system' | 'user';
  /** What is started and stopped for the whole of it: `web.target`, `web.service`, `nightly.timer`. */
  readonly main: string;
  /** Of each instance, by its index. */
  readonly services: readonly string[];
  readonly sockets: readonly string[];
  /** What else starts something of it: timers and paths. */
  readonly triggers: readonly string[];
  /** What stead has written, absolute. Empty for units of others, and for a transient one. */
  readonly files: readonly string[];
  /** The sockets that systemd holds for it, as `docs/decisions/014-shared-sockets.md` has them. */
  readonly keys: readonly string[];
  /** Whether it was to run when it went. */
  readonly isWanted: boolean;
}

/** One row of `list`. */
export interface AppView {
  readonly id: number;
  readonly name: string;
  readonly kind: 'app' | 'job';
  readonly group: string | null;
  readonly want: Want;
  readonly state: StateName;
  /** In words, for every state that isn't plain running: `exit code 3, restarts in 4 s`. */
  readonly reason: string | null;
  readonly instances: readonly InstanceView[];
  /** What its tree listens on: `5000`, `127.0.0.1:80`, `/run/x.sock`. */
  readonly ports: readonly string[];
  /** When it was made, ISO 8601. */
  readonly createdAt: string;
  /** The config file that names it; null: none does. Absent in answers of earlier versions. */
  readonly file?: string | null;
  /** When its schedule comes next, ISO 8601; null without one. */
  readonly nextRun: string | null;
  /** While its instances are replaced one by one: how many of how many are. Null or absent: they aren't. */
  /** Null or absent: stead itself. */
  readonly keeper?: Keeper | null;
  readonly reload?: {
    readonly phase: 'rolling' | 'paused' | 'aborting';
    readonly done: number;
    readonly of: number;
  } | null;
}

/** A socket that is held for an app and accepted from by its instances. */
export interface HeldSocket {
  /** `tcp:*:5000`, as `docs/decisions/014-shared-sockets.md` has it. */
  readonly key: string;
  /** In words: `port 5000`, `UDP port 53`, `127.0.0.1:80`, or a path. */
  readonly address: string;
  /** Connections that nobody has accepted yet; null where it can't be told. */
  readonly queue: number | null;
  readonly accepting: readonly { readonly index: number; readonly pid: number }[];
  /** A Unix socket that nobody reaches: another file is at its path. Absent: it is reached. */
  readonly isPathTaken?: boolean;
}

export interface SocketView {
  readonly protocol: 'tcp' | 'tcp6' | 'unix';
  /** `0.0.0.0:5000`, `[::]:5000`, or a path. */
  readonly address: string;
  readonly pid: number;
}

/** One app, whole. */
export interface AppDetail extends AppView {
  readonly spec: AppSpec;
  /** Who wanted last what is wanted: the command. */
  readonly by: string;
  /** Newest last, at most 100. */
  readonly exits: readonly ExitView[];
  readonly logs: { readonly out: string; readonly err: string };
  readonly sockets: readonly SocketView[];
  /** Names only, unless `showEnv`: then `NAME=value`. */
  readonly env: readonly string[];
  /** Everything alive that belongs to the app. */
  readonly processes: readonly { readonly pid: number; readonly ppid: number; readonly command: string }[];
  /** What keeps its watch from doing what it should. Null or absent: nothing, or it has none. */
  readonly watchProblem?: string | null;
  /** What its instances share. Absent in answers of earlier versions. */
  readonly held?: readonly HeldSocket[];
}

/** What the caller's process hands down to a program: taken by the client at each start, never from the daemon. */
export interface Caller extends Asker {
  /**
   * Absolute.
   * @pattern ^/
   */
  readonly cwd: string;
  /** The whole environment, `NAME=value` per entry. */
  readonly env: readonly string[];
  /**
   * @asType integer
   * @minimum 0
   * @maximum 511
   */
  readonly umask: number;
  /** Soft and hard limits by the names of prlimit(1) (`nofile`, `core` …); `unlimited` as null. */
  readonly limits: Readonly<Record<string, readonly [soft: Limit | null, hard: Limit | null]>>;
  /**
   * @asType integer
   * @minimum -20
   * @maximum 19
   */
  readonly nice: number;
  /**
   * @asType integer
   * @minimum -1000
   * @maximum 1000
   */
  readonly oomScoreAdj: number;
}

/**
 * @asType integer
 * @minimum 0
 */
export type Limit = number;

/** Who asks, for the record. */
export interface Asker {
  /** @asType integer */
  readonly pid?: number;
  /** The command as typed: `stead restart api`. */
  readonly command?: string;
}

export interface StartRequest {
  /** Scripts, commands in PATH, or names of apps. Empty with a command line. */
  readonly targets: readonly string[];
  /** What came after `--`: with targets their arguments, without them a command line. */
  readonly rest: readonly string[];
  readonly options?: SpecOptions;
  readonly caller: Caller;
  /** Only known from then on: nothing is launched. */
  readonly isHeld?: boolean;
  /** False: answer when it is durable and launched, without the look of 300 ms. */
  readonly wait?: boolean;
  /** Of a new app that shares: pids of programs whose listening TCP sockets it is to have, and which serve on. */
  readonly takeFrom?: readonly number[];
}

export interface StartedApp {
  readonly app: AppView;
  /** False if it ran already and nothing was done. */
  readonly changed: boolean;
  /** It ended within the first look. `lastLines`: of what it printed, the first lines and the last, `…` standing for what is between. */
  readonly early: null | { readonly exit: ExitView; readonly lastLines: readonly string[]; readonly next: string };
  /** What was decided for the user: `runs with tsx`, `run by sh -c`. */
  readonly notes: readonly string[];
  readonly sockets: readonly SocketView[];
}

export interface StartResponse {
  readonly apps: readonly StartedApp[];
}

export interface RunRequest {
  readonly command: readonly string[];
  /** It is only made known: systemd will run it. */
  readonly isHeld?: boolean;
  readonly options?: SpecOptions;
  readonly caller: Caller;
}
export interface RunResponse {
  readonly app: AppView;
  readonly run: number;
  readonly logs: { readonly out: string; readonly err: string };
  /** Where in the logs its output begins, in bytes: an earlier job of this name may have left some. Absent: at 0. */
  readonly logFrom?: { readonly out: number; readonly err: number };
  readonly notes: readonly string[];
}

export interface AdoptRequest {
  /**
   * A process that runs already.
   * @asType integer
   * @minimum 1
   */
  readonly pid: number;
  readonly options?: SpecOptions;
  readonly caller?: Asker;
}
export interface AdoptResponse {
  readonly app: AppView;
  /** What can't be had of a program that was started elsewhere, and what to do about it. */
  readonly notes: readonly string[];
}

/**
 * Names, `name:index`, ids, `@group`, `all`.
 * @minItems 1
 */
export type Select = readonly string[];

export interface SelectRequest {
  readonly select: Select;
  readonly caller?: Asker;
  /** False: answer when it is durable, without waiting for the effect. */
  readonly wait?: boolean;
}

export type StopRequest = SelectRequest;
export interface DeleteRequest extends SelectRequest {
  /** Removes the logs, too. */
  readonly purge?: boolean;
  /** Forgets it without ending it: only what was adopted. */
  readonly leaveRunning?: boolean;
}
export interface RestartRequest extends SelectRequest {
  /** With `updateEnv`: the caller whose environment replaces the kept one. */
  readonly updateEnv?: Caller | null;
}
export interface ScaleRequest extends SelectRequest {
  /** `4`, `+2`, `-1`, `max`. */
  readonly to: string;
}
export type ReloadStep = 'begin' | 'continue' | 'abort';

/**
 * @asType integer
 * @minimum 1
 * @maximum 1000
 */
export type InstanceCount = number;

export interface ReloadRequest extends SelectRequest {
  /** So many instances are replaced at a time; 1 if it isn't said. */
  readonly parallel?: InstanceCount;
  /** So many are replaced, then it waits for `continue` or `abort`; null: all are. */
  readonly canary?: InstanceCount | null;
  readonly then?: ReloadStep;
  /** The caller whose environment replaces the kept one. */
  readonly updateEnv?: Caller | null;
}
export interface RenameRequest {
  /** One app. */
  readonly select: Select;
  readonly to: string;
  readonly caller?: Asker;
}
export interface SignalRequest extends SelectRequest {
  /** `SIGHUP`, `HUP` or a number. */
  readonly signal: string;
}

/**
 * An app goes to systemd. `prepare`: its sockets can be bound a second time. `steer`: what comes from now on goes to the second one; answered when nobody waits in
 * the first. `unsteer` puts that back. `give`: it is systemd's from now on, durably; its programs answer what they have begun, and end.
 */
export interface HandoffRequest {
  readonly app: string;
  readonly step: 'prepare' | 'steer' | 'unsteer' | 'give';
  readonly caller?: Asker;
  /** Of `give`. */
  readonly keeper?: Keeper;
  /** Of `give`: the file for whose end systemd's services wait, `…/stead-handoff.PID`; removed when nothing of the app is alive. */
  readonly gate?: string;
}
export interface HandoffResponse {
  /** Of the sockets that are held for it. */
  readonly keys: readonly string[];
  readonly app: AppView;
}

/** An app comes back. `take`: its sockets are taken out of one of these processes. `start`: it is stead's again, and runs if it was to. */
export interface TakebackRequest {
  readonly app: string;
  readonly step: 'take' | 'start';
  readonly caller?: Asker;
  /** Of `take`. */
  readonly pids?: readonly number[];
  readonly keys?: readonly string[];
  /** Of `start`: whether it is to run; absent: as it was when it went. */
  readonly isWanted?: boolean;
}
export interface TakebackResponse {
  /** Of the sockets that are held for it now. */
  readonly keys: readonly string[];
  readonly result: ActionResult;
}

export interface ActionResult {
  readonly app: AppView;
  readonly changed: boolean;
  /** Set when this app's part failed: the others were done all the same. */
  readonly error: ErrorBody | null;
  readonly early?: StartedApp['early'];
  readonly notes?: readonly string[];
  readonly sockets?: readonly SocketView[];
  /** Of a reload: it has ended well, and does not pause. */
  readonly isReloaded?: boolean;
}
export interface ActionResponse {
  readonly results: readonly ActionResult[];
}

export interface SetRequest {
  readonly select: Select;
  /** Options by their property; an app that runs has them from its next start. */
  readonly set?: SpecOptions;
  /** Properties of options that go back to their default; `env=NAME` is one variable. */
  readonly unset?: readonly string[];
  readonly caller?: Asker & { readonly cwd?: string };
}

/** One app of a config file, as the client has read and expanded it. */
export interface ConfigApp {
  readonly kind: 'app' | 'job';
  /** A script or a command as `start` takes it; null: `command` is a command line. */
  readonly script: string | null;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly options: SpecOptions;
}

export interface ApplyRequest {
  /** The absolute path of the config file: by it its apps are known. */
  readonly file: string;
  /** What comes before a name that an app of another file has; null: then it is refused. */
  readonly project?: string | null;
  /** What it made earlier and no longer names is ended and forgotten. */
  readonly isPruned?: boolean;
  /** Some of its apps: the others are not missing. */
  readonly isPartial?: boolean;
  readonly apps: readonly ConfigApp[];
  /** Nothing is done. */
  readonly isDryRun?: boolean;
  readonly caller: Caller;
  readonly wait?: boolean;
}

export interface Change {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** An app with all that is known of it, to be brought up again: here or on another machine. */
export interface DumpedApp {
  /** As it is called, also where a config file could not call it so. */
  readonly name: string;
  readonly app: ConfigApp;
  /** The config file that names it; null: none does. */
  readonly file: string | null;
  readonly isWanted: boolean;
  /** What its caller had. */
  readonly cwd: string;
  readonly umask: number;
  readonly nice: number;
  readonly oomScoreAdj: number;
  readonly limits: Readonly<Record<string, readonly [soft: number | null, hard: number | null]>>;
  /** `NAME=value` entries; null: those of who brings it up. */
  readonly env: readonly string[] | null;
}

/** Each by itself: one that can't be brought up holds up no other. What is there already is left as it is, but started if it was wanted. */
export interface ResurrectRequest {
  readonly apps: readonly DumpedApp[];
  readonly caller: Caller;
  readonly wait?: boolean;
}

export interface AppliedApp {
  readonly name: string;
  readonly change: 'new' | 'changed' | 'same' | 'removed';
  /** Keys of the options that differ. */
  readonly differing: readonly string[];
  /** What was said before and is said now, as a config file has it; null: nothing. Of the environment names alone. Absent in answers of earlier versions. */
  readonly changes?: readonly Change[];
  readonly app: AppView | null;
  readonly error: ErrorBody | null;
}

export interface ApplyResponse {
  readonly apps: readonly AppliedApp[];
  readonly notes: readonly string[];
}

export interface AttachRequest {
  /** One app, or one instance. */
  readonly select: Select;
}
/** Where a program can be spoken to: not by way of the daemon. */
export type AttachResponse = {
  /** The app's: it stays when the name is another. */
  readonly id: number;
  readonly name: string;
  readonly index: number;
  readonly state: StateName;
} & (
  | {
      readonly kind: 'terminal';
      /** The socket of the pty host, which takes frames (docs/terminals.md), and the session's name there. */
      readonly socket: string;
      readonly session: string;
      readonly homeId: string;
    }
  /** It has no terminal, but an open stdin: a FIFO, whose writer ends nothing by closing it. */
  | { readonly kind: 'stdin'; readonly path: string }
);

export interface WaitRequest {
  readonly select: Select;
  /**
   * Null or absent waits without end.
   * @minimum 0
   */
  readonly timeoutMs?: number | null;
}
export interface WaitResponse {
  /** One per selected app, in order: its last exit once nothing of it runs or will run; null if it never ran. */
  readonly results: readonly { readonly name: string; readonly state: StateName; readonly exit: ExitView | null }[];
  readonly timedOut: boolean;
}

/** One line of a log. */
export interface LogLineView {
  readonly name: string;
  readonly index: number;
  readonly stream: 'out' | 'err';
  /** When it came, ISO 8601; null if that isn't known. */
  readonly time: string | null;
  /** Of its first byte in the log. */
  readonly offset: number;
  /** Without its end. A byte that is no UTF-8 is U+DC00 plus the byte. */
  readonly line: string;
  /** It has no end (yet), or goes on in the next one. */
  readonly partial?: boolean;
  /** Of a search with context: it is around a line that matches, and does not itself. */
  readonly isContext?: boolean;
}

export interface LogsResponse {
  /** In the order in which they came. */
  readonly lines: readonly LogLineView[];
  /** Goes on behind the last of them. */
  readonly cursor: string;
  /** Nothing more was there behind them. */
  readonly isEnd: boolean;
}

export interface DaemonView {
  readonly running: boolean;
  readonly pid: number | null;
  readonly guardian: number | null;
  /** Of systemd, which keeps the daemon in a guardian's place; null without one. Absent in answers of earlier versions. */
  readonly unit?: { readonly name: string; readonly scope: 'system' | 'user' } | null;
  readonly version: string | null;
  readonly protocol: { readonly major: number; readonly minor: number } | null;
  readonly home: string;
  readonly since: string | null;
  readonly memory: number | null;
  /** What cgroups of apps can hold: `memory`, `cpu`, `pids`; null where there are no cgroups. Absent in answers of versions before 0.2. */
  readonly controllers?: readonly string[] | null;
}

/** Every request of the control API: `name → [method, path]`. `:sel` is one percent-encoded selector. */
export const routes = {
  list: ['GET', '/v1/apps'],
  show: ['GET', '/v1/apps/:sel'],
  why: ['GET', '/v1/apps/:sel/why'],
  start: ['POST', '/v1/start'],
  run: ['POST', '/v1/run'],
  adopt: ['POST', '/v1/adopt'],
  stop: ['POST', '/v1/stop'],
  restart: ['POST', '/v1/restart'],
  reload: ['POST', '/v1/reload'],
  scale: ['POST', '/v1/scale'],
  delete: ['POST', '/v1/delete'],
  rename: ['POST', '/v1/rename'],
  signal: ['POST', '/v1/signal'],
  reset: ['POST', '/v1/reset'],
  flush: ['POST', '/v1/flush'],
  logs: ['GET', '/v1/logs'],
  wait: ['POST', '/v1/wait'],
  attach: ['POST', '/v1/attach'],
  set: ['POST', '/v1/set'],
  apply: ['POST', '/v1/apply'],
  resurrect: ['POST', '/v1/resurrect'],
  events: ['GET', '/v1/events'],
  handoff: ['POST', '/v1/handoff'],
  takeback: ['POST', '/v1/takeback'],
  daemonStatus: ['GET', '/v1/daemon'],
  daemonStop: ['POST', '/v1/daemon/stop'],
  openapi: ['GET', '/v1/openapi.json'],
} as const satisfies Record<string, readonly ['GET' | 'POST', string]>;

export type RouteName = keyof typeof routes;

/** What was asked for of an app: `apps/<name>/spec.json`, and the `spec` of `show --json`. */

export const specFormat = 2;

/** What to execute. `argv` is what the program sees, entry for entry; `argv[0]` is looked up in the app's PATH where it has no slash. */
export interface Program {
  readonly how: 'script' | 'command' | 'shell';
  /** The words without the interpreter: the script's absolute path and its arguments, or the command. */
  readonly words: readonly string[];
  /** Put before the words at each launch; null if the script or command is executed itself. */
  readonly interpreter: null | {
    /** What it is known as: `node`, `python3`, `tsx`. Looked up again in the app's PATH when `path` is gone. */
    readonly name: string;
    readonly path: string;
    readonly args: readonly string[];
  };
}

export interface UserSpec {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** What a program has from its caller unless an option says otherwise. */
export interface Inherited {
  readonly umask: number;
  readonly limits: Readonly<Record<string, readonly [soft: number | null, hard: number | null]>>;
  readonly nice: number;
  readonly oomScoreAdj: number;
}

export type RestartPolicy = 'always' | 'on-failure' | 'no';

/** How it is told that a program is ready, or alive. */
export type Check =
  /** A TCP connection is accepted. */
  | { readonly kind: 'port'; readonly host: string; readonly port: number }
  /** GET answers with a status from 200 to 399. */
  | { readonly kind: 'http'; readonly url: string }
  /** `sh -c` in the app's directory and environment exits with 0. */
  | { readonly kind: 'exec'; readonly command: string };

/** A check, or the program's own word. */
export type Readiness =
  | Check
  /** A line of its output matches (RE2's syntax: linear time). */
  | { readonly kind: 'log'; readonly pattern: string }
  /** `process.send('ready')`. */
  | { readonly kind: 'ipc' }
  /** A newline written to this fd, as s6 has it. */
  | { readonly kind: 'fd'; readonly fd: number }
  /** `READY=1` by sd_notify(3). */
  | { readonly kind: 'notify' }
  /** It listens on what it shares: all that the run before it listens on, else something. */
  | { readonly kind: 'listen' };

/** A check that is repeated, or `WATCHDOG=1` by sd_notify(3) at least every `aliveIntervalMs`. */
export type Liveness = Check | { readonly kind: 'watchdog' };

/** One step of a stop sequence: the signal, and how long to wait before the next step; null is `stopTimeoutMs`. */
export interface StopSignal {
  readonly signal: string;
  readonly waitMs: number | null;
}

/** What of a dependency is waited for. */
export type DependencyState = 'ready' | 'started' | 'completed';

export interface Schedule {
  /** A cron pattern of five or six fields, as croner reads it. */
  readonly pattern: string;
  /** An IANA time zone; null is the machine's. */
  readonly zone: string | null;
  /** When its time comes while the last run goes on: leave it out, run it afterwards, or end the last one. */
  readonly overlap: 'skip' | 'queue' | 'replace';
  /** What was missed while neither daemon nor machine ran: leave it out, or run it once. */
  readonly missed: 'skip' | 'run';
}

export interface Backoff {
  /** Before the second restart in a row; the first is at once. */
  readonly minMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

export const hookNames = ['start', 'ready', 'exit', 'restart', 'fail', 'stop'] as const;
export type HookName = (typeof hookNames)[number];

/** Where its output goes and how much of it is kept. */
export interface LogSpec {
  /** An absolute path or `/dev/null`; null is in the home. */
  readonly out: string | null;
  readonly err: string | null;
  /** stderr goes where stdout goes. */
  readonly merge: boolean;
  /** `pipe`: a cat stands between the program and the file. Null: as it is right for the program. */
  readonly via: 'file' | 'pipe' | null;
  readonly forward: 'syslog' | 'journald' | null;
  /** Bytes; null is never. */
  readonly maxSize: number | null;
  readonly maxAgeMs: number | null;
  /** Archives. */
  readonly keep: number;
  /** Bytes of one log and its archives on disk. */
  readonly total: number | null;
  readonly compress: boolean;
}

/** One socket that stead holds for an app: `listen: [5000, "unix:/run/x.sock", "udp:53", "http=127.0.0.1:8080"]`. */
export type ListenSpec =
  | {
      readonly kind: 'tcp' | 'udp';
      /** For `LISTEN_FDNAMES`; null: `kind` and port. */
      readonly name: string | null;
      /** An IP address; null: all addresses, IPv6 and IPv4. */
      readonly host: string | null;
      readonly port: number;
    }
  | { readonly kind: 'unix'; readonly name: string | null; readonly path: string };

/** Instances and the sockets that they share. */
export interface ShareSpec {
  /** Null was not said: one instance, which shares nothing unless `listen` names something. */
  readonly instances: number | null;
  readonly listen: readonly ListenSpec[];
  /** The sockets of `listen` are handed over non-blocking. */
  readonly nonblock: boolean;
  /** This variable is a number, and higher by one in each instance. */
  readonly incrementVar: string | null;
  /** How long an instance that is replaced, or of which there are fewer, may take for what it has begun to answer. */
  readonly drainTimeoutMs: number;
  /** Tells a Node program to take no more connections. */
  readonly drainSignal: string;
  /** The first connection starts it. */
  readonly onDemand: boolean;
  /** Without a connection for so long it is stopped, and the next one starts it; null: never. */
  readonly idleTimeoutMs: number | null;
}

export interface AppSpec {
  readonly format: typeof specFormat;
  readonly name: string;
  readonly kind: 'app' | 'job';
  readonly group: string | null;
  readonly program: Program;
  readonly cwd: string;
  /** The whole environment of the program, `NAME=value` per entry. */
  readonly env: readonly string[];
  readonly umask: number;
  /** Limits by the names of prlimit(1); null is unlimited. */
  readonly limits: Readonly<Record<string, readonly [soft: number | null, hard: number | null]>>;
  readonly nice: number;
  readonly oomScoreAdj: number;
  readonly user: UserSpec | null;
  /** What was said when it was started or set; the fields after this are settled from it, from defaults and from `inherited`. */
  readonly options: SpecOptions;
  /** The config file that names it; null: none does. */
  readonly origin: string | null;
  /** What the caller had. */
  readonly inherited: Inherited;
  readonly noNewPrivs: boolean;
  /** Supplementary groups by id; null: those of the user. */
  readonly groups: readonly number[] | null;
  /** Class 1 to 3 and level 0 to 7 of ionice(1); null is inherited. */
  readonly ioNice: { readonly class: number; readonly level: number } | null;
  /** Bytes of the whole tree; null is unlimited. */
  readonly maxMemory: number | null;
  /** 1 to 10000, 100 being everybody's. */
  readonly cpuWeight: number | null;
  /** Percent of one core. */
  readonly cpuQuota: number | null;
  /** Processes and threads of the tree. */
  readonly maxTasks: number | null;
  readonly restart: RestartPolicy;
  /** Exit codes and signal names after which it is left alone as `completed`, whatever the policy. */
  readonly stopExitCodes: readonly (number | string)[];
  readonly backoff: Backoff;
  /** Automatic restarts before `failed`: within `restartWindowMs`, else in a row; null is unlimited. */
  readonly maxRestarts: number | null;
  readonly restartWindowMs: number | null;
  /** Having failed, it is tried again after this time; null: only on request. */
  readonly retryFailedAfterMs: number | null;
  readonly stableAfterMs: number;
  /** Run by `sh -c` before the first stop signal. */
  readonly stopCommand: string | null;
  /** Written to its stdin before the first stop signal; its stdin is a pipe then. */
  readonly stopStdin: string | null;
  /** `process.on('message')` gets "shutdown" before the first stop signal. */
  readonly stopMessage: boolean;
  /** At least one. */
  readonly stopSignals: readonly StopSignal[];
  /** How long each step of a stop may take. */
  readonly stopTimeoutMs: number;
  readonly ready: Readiness | null;
  readonly readyTimeoutMs: number;
  readonly alive: Liveness | null;
  readonly aliveIntervalMs: number;
  readonly aliveTimeoutMs: number;
  /** Failures in a row that make it unwell. */
  readonly aliveFailures: number;
  readonly dependsOn: Readonly<Record<string, DependencyState>>;
  /** False: not started by `apply`, nor after a reboot. */
  readonly autostart: boolean;
  readonly schedule: Schedule | null;
  /** Jobs: those that must have completed before. */
  readonly after: readonly string[];
  /** Jobs: how many of its group may run at a time; null is unlimited. */
  readonly slots: number | null;
  /** Jobs: how long a run may take. */
  readonly timeoutMs: number | null;
  /** Files of `NAME=value` lines that were read when it was started, and are again with `--update-env`. */
  readonly envFiles: readonly string[];
  /** Variables whose values are read from files at each launch. */
  readonly secrets: Readonly<Record<string, string>>;
  /** A command for `sh -c`, or a URL for a POST, by what happened. */
  readonly hooks: Readonly<Partial<Record<HookName, string>>>;
  /** Jobs: leave what the main program left behind. */
  readonly keepTree: boolean;
  /** Jobs: how long what it left may live on. */
  readonly leaveTimeoutMs: number;
  readonly log: LogSpec;
  readonly share: ShareSpec;
  /** Its stdin, stdout and stderr are this terminal; null: it has none. */
  readonly tty: TerminalSpec | null;
  /** Its stdin is a FIFO that never ends, to which `send` writes. */
  readonly stdin: boolean;
  /** Null: it is not watched. */
  readonly watch: WatchSpec | null;
}

export const onBusyChoices = ['restart', 'queue', 'signal', 'ignore'] as const;

/** What restarts it when it changes. */
export interface WatchSpec {
  /** Files, directories, globs; from its directory, or absolute. */
  readonly paths: readonly string[];
  readonly ignore: readonly string[];
  /** As pm2 has them: paths and globs from its directory. */
  readonly ignoreWatch: readonly string[];
  /** What a Node program has imported is watched; `paths` besides. */
  readonly graph: boolean;
  /** What files end with, without the dot; null for all. */
  readonly ext: readonly string[] | null;
  readonly gitignore: boolean;
  readonly quietMs: number;
  /** Run by `sh -c` first: if it fails, what runs goes on. */
  readonly before: string | null;
  readonly onBusy: (typeof onBusyChoices)[number];
  /** Of `onBusy: signal`. */
  readonly signal: string;
}

export const resizePolicies = ['latest', 'smallest', 'largest', 'manual'] as const;

/** A program's terminal. */
export interface TerminalSpec {
  /** Until a client says another. */
  readonly cols: number;
  readonly rows: number;
  /** Whose size it has: of the client that did something last, of the smallest or largest of all, or of none. */
  readonly resize: (typeof resizePolicies)[number];
  /** Lines above the screen that are kept for who attaches. */
  readonly scrollback: number;
}

/**
 * What a start may say of a spec; everything has a default. Keys are those of the options table (`config/options.ts`); what has a grammar of its own
 * (`ready`, `stopSignal` …) is the text that a person writes.
 */
export interface SpecOptions {
  readonly name?: string;
  readonly group?: string;
  readonly cwd?: string;
  readonly interpreter?: string;
  readonly interpreterArgs?: readonly string[];
  /** `NAME=value` entries that are put over the captured environment. */
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly secret?: readonly string[];
  readonly umask?: number;
  readonly nice?: number;
  readonly ioNice?: string;
  readonly oomScoreAdj?: number;
  readonly limit?: readonly string[];
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly noNewPrivs?: boolean;
  readonly maxMemory?: number;
  readonly cpuWeight?: number;
  readonly cpuQuota?: number;
  readonly maxTasks?: number;
  readonly restart?: RestartPolicy;
  readonly stopExitCodes?: readonly string[];
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  readonly backoffFactor?: number;
  readonly maxRestarts?: number;
  readonly restartWindowMs?: number;
  readonly retryFailedAfterMs?: number;
  readonly stableAfterMs?: number;
  readonly stopCommand?: string;
  readonly stopStdin?: string;
  readonly stopMessage?: boolean;
  readonly stopSignal?: string;
  readonly stopTimeoutMs?: number;
  readonly ready?: string;
  readonly readyTimeoutMs?: number;
  readonly alive?: string;
  readonly aliveIntervalMs?: number;
  readonly aliveTimeoutMs?: number;
  readonly aliveFailures?: number;
  readonly dependsOn?: readonly string[];
  readonly autostart?: boolean;
  readonly cron?: string;
  readonly timezone?: string;
  readonly overlap?: Schedule['overlap'];
  readonly missed?: Schedule['missed'];
  readonly after?: readonly string[];
  readonly slots?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly on?: readonly string[];
  readonly keepTree?: boolean;
  readonly leaveTimeoutMs?: number;
  readonly logOut?: string;
  readonly logErr?: string;
  readonly logMerge?: boolean;
  readonly logVia?: 'file' | 'pipe';
  readonly logForward?: 'syslog' | 'journald';
  readonly logMaxSize?: number;
  readonly logMaxAgeMs?: number;
  readonly logKeep?: number;
  readonly logMaxTotal?: number;
  readonly logCompress?: boolean;
  /** `4`, `max`, `-1`: one less than there are cores. */
  readonly instances?: string;
  readonly listen?: readonly string[];
  readonly nonblock?: boolean;
  readonly incrementVar?: string;
  readonly drainTimeoutMs?: number;
  readonly drainSignal?: string;
  readonly listenOnDemand?: boolean;
  readonly idleTimeoutMs?: number;
  readonly tty?: boolean;
  /** `COLSxROWS` */
  readonly ttySize?: string;
  readonly ttyResize?: TerminalSpec['resize'];
  readonly ttyScrollback?: number;
  readonly stdin?: boolean;
  readonly watch?: readonly string[];
  readonly ignore?: readonly string[];
  readonly ignoreWatch?: readonly string[];
  readonly graph?: boolean;
  readonly ext?: string;
  readonly watchDelayMs?: number;
  readonly gitignore?: boolean;
  readonly before?: string;
  readonly onBusy?: WatchSpec['onBusy'];
  readonly watchSignal?: string;
}

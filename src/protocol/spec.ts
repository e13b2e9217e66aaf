/** What was asked for of an app: `apps/<name>/spec.json`, and the `spec` of `show --json`. */

export const specFormat = 1;

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

export type RestartPolicy = 'always' | 'on-failure' | 'no';

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
  readonly noNewPrivs: boolean;
  readonly restart: RestartPolicy;
  /** Exit codes after which it is left alone as `completed`, whatever the policy. */
  readonly stopExitCodes: readonly number[];
  /** Automatic restarts in a row (without `stableAfterMs` of running) before `failed`; null is unlimited. */
  readonly maxRestarts: number | null;
  readonly stableAfterMs: number;
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  /** Jobs: leave what the main program left behind. */
  readonly keepTree: boolean;
  /** Jobs: how long what it left may live on. */
  readonly leaveTimeoutMs: number;
}

/** What a start may say of a spec; everything has a default. Keys are those of the options table (`config/options.ts`). */
export interface SpecOptions {
  readonly name?: string;
  readonly group?: string;
  readonly cwd?: string;
  readonly interpreter?: string;
  readonly interpreterArgs?: readonly string[];
  /** `NAME=value` entries that are put over the captured environment. */
  readonly env?: readonly string[];
  readonly umask?: number;
  readonly nice?: number;
  readonly user?: string;
  readonly noNewPrivs?: boolean;
  readonly restart?: RestartPolicy;
  readonly stopExitCodes?: readonly number[];
  readonly maxRestarts?: number;
  readonly stableAfterMs?: number;
  readonly stopSignal?: string;
  readonly stopTimeoutMs?: number;
  readonly keepTree?: boolean;
  readonly leaveTimeoutMs?: number;
}

/** What `stead dev` was asked for, all defaults filled in. */
import type { Style } from '../watch/ignores.ts';

/** What becomes of a change while the program runs. */
export const busyPolicies = ['restart', 'queue', 'signal', 'ignore'] as const;
export type BusyPolicy = (typeof busyPolicies)[number];

/** Commands for a shell, run when it happens. */
export const eventNames = ['start', 'restart', 'crash', 'exit', 'quit'] as const;
export type EventName = (typeof eventNames)[number];

/** How the command line of the program comes about. */
export interface ProgramSettings {
  /** A command for a shell, the arguments put behind it; null: by the script. */
  readonly exec: string | null;
  /** From a file alone: what stands between `exec`, or node, and all else. */
  readonly execArgs: readonly string[];
  /** By extension, without the dot. */
  readonly execMap: Readonly<Record<string, string>>;
  /** Arguments in front of the script: node's. */
  readonly before: readonly string[];
  readonly script: string | null;
  readonly args: readonly string[];
  /** Where the environment has no such entry. */
  readonly env: Readonly<Record<string, string>>;
}

export interface WatchSettings {
  /** As it was written; null: nothing is watched. */
  readonly roots: readonly string[] | null;
  readonly ignore: readonly string[];
  /** null: by the script. */
  readonly ext: string | null;
  readonly ignoreRoot: readonly string[] | null;
  readonly gitignore: boolean;
  /** What the program imports, in place of `roots`. */
  readonly isGraph: boolean;
  readonly style: Style;
  readonly quietMs: number;
  readonly mostMs: number;
  readonly pollMs: number | null;
}

export interface Settings {
  /** Absolute. */
  readonly cwd: string;
  readonly program: ProgramSettings;
  readonly watch: WatchSettings;
  /** `SIGTERM`: sent to end a run. */
  readonly signal: string;
  readonly stopTimeoutMs: number;
  readonly isOnChangeOnly: boolean;
  /** A crash ends the runner. */
  readonly endsOnCrash: boolean;
  /** After a crash it starts again by itself. */
  readonly restartsOnCrash: boolean;
  /** A command that must succeed before each start. */
  readonly before: string | null;
  readonly onBusy: BusyPolicy;
  /** What restarts it when typed; null: nothing does. */
  readonly restartWord: string | null;
  readonly events: Readonly<Partial<Record<EventName, string>>>;
  readonly isVerbose: boolean;
  readonly isQuiet: boolean;
  readonly hasColors: boolean;
  /** The files that were read. */
  readonly files: readonly string[];
}

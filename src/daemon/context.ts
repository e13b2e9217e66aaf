import type { CpuMeter } from '../metrics/cpu.ts';
import type { App } from './app.ts';

/** What every part of one daemon shares. */
export interface Daemon {
  readonly home: string;
  readonly homeId: string;
  readonly bootId: string;
  readonly version: string;
  /** Since when it runs, ISO 8601. */
  readonly since: string;
  /** The shell that runs launchers. */
  readonly shell: string;
  readonly launcherScript: string;
  /** Under which the instances' cgroups lie; null: trees are found by their traces. */
  readonly cgroupBase: string | null;
  /** Where the daemon, its guardian and the launchers are. */
  readonly ownCgroup: string | null;
  readonly apps: Map<string, App>;
  readonly cpu: CpuMeter;
  /** One line into daemon.log. */
  log(line: string): void;
  /** Ends the daemon, and with it the guardian; the apps run on. */
  stop(): void;
  /** The guardian that respawns this daemon; null if it runs without one. */
  guardianPid(): number | null;
}

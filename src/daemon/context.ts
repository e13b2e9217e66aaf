import type { Happening } from '../lifecycle/happenings.ts';
import type { CpuMeter } from '../metrics/cpu.ts';
import type { OomCount } from '../metrics/oom-count.ts';
import type { ManagerLink } from '../systemd/manager-link.ts';
import type { App } from './app.ts';
import type { CrashBucket } from './crash-bucket.ts';
import type { Enforcement } from './enforce.ts';
import type { Instance } from './instance.ts';
import type { LogKeeping } from './log-keeping.ts';
import type { Newcomers } from './newcomers.ts';
import type { Rollouts } from './rollout.ts';
import type { Scheduler } from './schedule.ts';
import type { Terminals } from './terminals/terminals.ts';
import type { Turns } from './turns.ts';
import type { Watching } from './watching/watching.ts';

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
  readonly enforcement: Enforcement;
  readonly turns: Turns;
  readonly newcomers: Newcomers;
  readonly scheduler: Scheduler;
  readonly crashes: CrashBucket;
  readonly oom: OomCount;
  readonly logs: LogKeeping;
  readonly rollouts: Rollouts;
  readonly terminals: Terminals;
  readonly watching: Watching;
  /** The systemd that keeps this daemon, if one does. */
  readonly manager: ManagerLink;
  /** It ends, and all apps with it: nothing is started any more. */
  readonly isEnding: boolean;
  /** Passes on what happened: to those that follow events, and to hooks. */
  tell(instance: Instance, happening: Happening): void;
  /** One line into daemon.log. */
  log(line: string): void;
  /** Ends the daemon, and with it the guardian; the apps run on. */
  stop(): void;
  /** The guardian that respawns this daemon; null if it runs without one. */
  guardianPid(): number | null;
}

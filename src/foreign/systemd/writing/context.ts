import type { Hardening } from './hardening.ts';

/** Where units shall run, and what stands beside them. */
export interface SystemdContext {
  /** Units of the machine, or of a user's own manager (`systemctl --user`). */
  readonly scope: 'system' | 'user';
  /** Whose programs run without a user of their own, for `User=`; null: root, or nobody has to be named. */
  readonly owner: string | null;
  /** Of the systemd that is to read them: keys that it doesn't know are not written (`versions.ts`). */
  readonly version: number;
  readonly hardening: Hardening;
  /** By name of each app that is written: the unit to which another may refer. */
  readonly units: ReadonlyMap<string, string>;
}

/** Where units shall run, and what stands beside them. */
export interface SystemdContext {
  /** Units of the machine, or of a user's own manager (`systemctl --user`). */
  readonly scope: 'system' | 'user';
  /** Whose programs run without a user of their own, for `User=`; null: root, or nobody has to be named. */
  readonly owner: string | null;
  /** Of systemd: 254 knows RestartSteps=. */
  readonly version: number;
  /** By name of each app that is written: the unit to which another may refer. */
  readonly units: ReadonlyMap<string, string>;
}

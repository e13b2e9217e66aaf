/** What becomes of a daemon, and of all that it starts, when its user logs out: logind.conf(5) KillUserProcesses=, user@.service(5), loginctl(1). */

export interface LoginFacts {
  /** Of the daemon: its path in the v2 hierarchy, or systemd's in the v1 hierarchy. */
  readonly cgroup: string;
  readonly uid: number;
  readonly lingers: boolean;
  /** KillUserProcesses=yes, and this user is not among those that it leaves alone. */
  readonly kills: boolean;
}

export type AtLogout =
  /** It runs on. */
  | 'stays'
  /** logind ends the session, and it would outlive that in a scope of the user's own manager, which runs on. */
  | 'stays in a scope'
  /** logind ends all that the session started. */
  | 'ends with its session'
  /** The user's manager ends with the last session, and takes all its units along. */
  | 'ends with the last session';

export function atLogout({ cgroup, uid, lingers, kills }: LoginFacts): AtLogout {
  // Whatever a user's manager runs: services, terminals of a desktop, tmux in a scope.
  if (cgroup.includes(`/user@${uid}.service/`)) return lingers ? 'stays' : 'ends with the last session';
  if (!/\/session-[^/]+\.scope(?:\/|$)/.test(cgroup) || !kills) return 'stays';
  return lingers ? 'stays in a scope' : 'ends with its session';
}

/** The `[Login]` part of logind's files, the later ones over the earlier: its default is `no`. Debian, Ubuntu and Fedora leave it at that. */
export function killsProcesses(configs: readonly string[], user: string): boolean {
  const value = (key: string): string | undefined =>
    configs
      .flatMap((text) => [...text.matchAll(new RegExp(`^[ \\t]*${key}[ \\t]*=(.*)$`, 'gim'))])
      .at(-1)?.[1]
      ?.trim();
  const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean);
  if (!/^(?:yes|true|1|on|y|t)$/i.test(value('KillUserProcesses') ?? 'no')) return false;
  const only = words(value('KillOnlyUsers'));
  const except = words(value('KillExcludeUsers') ?? 'root');
  return (only.length === 0 || only.includes(user)) && !except.includes(user);
}

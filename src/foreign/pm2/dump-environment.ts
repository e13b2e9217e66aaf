/** The environment of a dumped process: pm2 keeps all of the shell's, and puts what it needs itself into it as well. */
import type { Values } from './fields.ts';

export interface Kept {
  readonly env: Readonly<Record<string, string>>;
  /** Names of what is left out as it is of the shell from which pm2 was called, and differs here. */
  readonly left: readonly string[];
}

/** Of a session: they mean nothing in another. */
const ofSession =
  /^(_|SHLVL|PWD|OLDPWD|TERM|TERM_.*|COLORTERM|COLUMNS|LINES|SSH_.*|TMUX.*|STY|SUDO_.*|XDG_.*|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|WINDOWID|LS_COLORS|LESS.*|MAIL|HISTCONTROL|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|LISTEN_.*|npm_.*|INIT_CWD|NODE_CHANNEL_.*|NODE_UNIQUE_ID)$/;

/** What pm2 writes there: fields of its own, by their names. */
const ofPm2 =
  /^(PM2_.*|pm_.*|axm_.*|unique_id|NODE_APP_INSTANCE|PM2|km_link|vizion.*|pmx.*|automation|autostart|autorestart|treekill|windowsHide|kill_retry_time|username|namespace|node_args|args|exec_mode|exec_interpreter|instances|instance_var|increment_var|merge_logs|watch|ignore_watch|status|created_at|restart_time|unstable_restarts|node_version|version|versioning|name|filter_env|env|prev_restart_delay|exit_code|_pm2_version)$/;

/** `env` of an entry without what the shell that imports has anyway. */
export function dumpedEnvironment(
  entry: Values,
  {
    env: shell,
    isWholeEnv,
  }: { readonly env: Readonly<Record<string, string | undefined>>; readonly isWholeEnv: boolean },
): Kept {
  const dumped = typeof entry.env === 'object' && entry.env !== null ? Object.entries(entry.env) : [];
  const env: Record<string, string> = {};
  const left: string[] = [];
  for (const [name, value] of dumped) {
    if (value === undefined || typeof value === 'object' || name === entry.name || ofPm2.test(name)) continue;
    if (name === '' || name.includes('=')) continue;
    const text = String(value);
    // One that counts in each instance begins where the app's does.
    if (isWholeEnv ? name !== '_' : shell[name] !== text && !ofSession.test(name)) env[name] = text;
    else if (shell[name] !== text && name !== '_') left.push(name);
  }
  return { env, left };
}

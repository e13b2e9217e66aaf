/** A file for EnvironmentFile=: systemd.exec(5). Within double quotes all stands for itself but `"`, `\`, `` ` `` and `$`, which a backslash makes so. */
import { isAssignable } from './escape.ts';

export const environmentFile = (variables: ReadonlyMap<string, string>, notes: readonly string[]): string =>
  [
    ...notes.map((note) => `# ${note}`),
    ...[...variables].filter(([name, value]) => isAssignable(name, value)).map(line),
    '',
  ].join('\n');

const line = ([name, value]: readonly [string, string]): string => `${name}="${value.replace(/["\\`$]/g, '\\$&')}"`;

/** Of a terminal or a login: they mean nothing, or another thing, where systemd starts a program. */
const ofSession =
  /^(?:_|SHLVL|PWD|OLDPWD|TERM|TERM_.*|COLORTERM|COLUMNS|LINES|LS_COLORS|LESS.*|PS\d|PROMPT_COMMAND|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|SSH_.*|GPG_.*|TMUX.*|STY|WINDOWID|DBUS_SESSION_BUS_ADDRESS|XDG_(?:SESSION|RUNTIME|VTNR|SEAT).*|SUDO_.*|STEAD_.*|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|LISTEN_.*|MAIL|HOSTNAME)$/;

export const isOfSession = (name: string): boolean => ofSession.test(name);

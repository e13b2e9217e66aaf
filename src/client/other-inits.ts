/** What starts stead at boot where there is no systemd: printed, as each of these machines is set up in its own way. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './accounts.ts';

export interface Recipe {
  readonly init: 'OpenRC' | 'runit' | 'cron';
  /** Where the text belongs; null for a line of a crontab. */
  readonly path: string | null;
  readonly text: string;
  readonly steps: readonly string[];
}

export interface RecipeFor {
  readonly account: Account;
  readonly home: string;
  readonly exists?: (path: string) => boolean;
}

/** For the init that runs here; cron, where it is none of these. */
export function bootRecipe({ account, home, exists = existsSync }: RecipeFor): Recipe {
  const name = account.uid === 0 ? 'stead' : `stead-${account.name}`;
  if (exists('/run/openrc')) return openrc(name, account, home);
  if (exists('/run/runit') || exists('/etc/runit/runsvdir') || exists('/run/runit.stopit'))
    return runit(name, account, home);
  return cron(account, home);
}

const script = (home: string): string => shellWord(join(home, 'lib/unit.sh'));

function openrc(name: string, { name: user }: Account, home: string): Recipe {
  return {
    init: 'OpenRC',
    path: `/etc/init.d/${name}`,
    text: `#!/sbin/openrc-run
# Programs outlive the daemon and its restarts; "stop" ends them, in order.
description="stead keeps programs running"
supervisor=supervise-daemon
command=/bin/sh
command_args=${shellWord(`${script(home)} start ${shellWord(home)} other ${name}`)}
command_user=${shellWord(user)}
respawn_delay=1
respawn_max=0
retry="TERM/300"

depend() {
  after net
  need localmount
}

stop_pre() {
  [ "$RC_CMD" = restart ] || : >${shellWord(join(home, 'ending'))}
}
`,
    steps: [`chmod +x /etc/init.d/${name}`, `rc-update add ${name} default`, `rc-service ${name} start`],
  };
}

function runit(name: string, { name: user }: Account, home: string): Recipe {
  return {
    init: 'runit',
    path: `/etc/sv/${name}/run`,
    text: `#!/bin/sh
# Programs outlive the daemon: before "sv down ${name}", to end them as well: stead stop all
exec chpst -u ${shellWord(user)} /bin/sh ${script(home)} start ${shellWord(home)} other ${name}
`,
    steps: [`chmod +x /etc/sv/${name}/run`, `ln -s /etc/sv/${name} /var/service/`],
  };
}

const cron = ({ name }: Account, home: string): Recipe => ({
  init: 'cron',
  path: null,
  // A % that is not escaped ends the command: crontab(5).
  text: `@reboot /bin/sh ${script(home)} boot ${shellWord(home)}\n`.replaceAll('%', '\\%'),
  steps: [`crontab -u ${name} -e, and add the line above`],
});

const shellWord = (text: string): string =>
  /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The unit under which systemd keeps a home's daemon, as systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) have it. */
import { commandWord, isOneLine, pathWord, plainValue } from './unit-words.ts';
import { isKnown, knownLines } from './versions.ts';

export interface DaemonUnit {
  readonly name: string;
  /** Of the machine, or of a user's own manager. */
  readonly scope: 'system' | 'user';
  readonly home: string;
  /** Whose programs these are. A user's own manager needs no name. */
  readonly user: string;
  /** Of the systemd that is to read it. */
  readonly version: number;
  /** Whether the daemon can write to systemd's socket: koffi is there. */
  readonly canNotify: boolean;
}

/** In seconds. The watchdog is fed twice as often; a daemon that does not move for so long is replaced. */
const watchdogSec = 30;
/** A home full of apps on a slow machine. */
const startLimit = '3min';
/** The daemon asks for more while apps take their time to end. */
const stopLimit = '90s';

/** So that only what stead has written is written over or removed. */
const mark = (home: string): string => `# Written by "stead startup" for the home ${comment(home)}`;

/** Whether a unit file is of this home, of another one, or nothing of stead's. */
export function whoseUnit(text: string, home: string): 'ours' | 'of another home' | 'not ours' {
  if (text.startsWith(`${mark(home)}\n`)) return 'ours';
  return text.startsWith('# Written by "stead startup" for the home ') ? 'of another home' : 'not ours';
}

export function daemonUnit(unit: DaemonUnit): string {
  const { version } = unit;
  const blocks = [head(unit), unitSection(unit), serviceSection(unit), installSection(unit)];
  return blocks.map((lines) => `${knownLines(lines, version).join('\n')}\n`).join('\n');
}

const head = ({ home, name, scope }: DaemonUnit): string[] => [
  mark(home),
  `# To change it: systemctl ${scope === 'user' ? '--user ' : ''}edit ${name}; this file is written anew by stead startup.`,
];

const unitSection = ({ home, scope }: DaemonUnit): string[] => [
  '[Unit]',
  `Description=stead keeps programs running (${plainValue(comment(home))})`,
  // dbus: a user's ExecStop= asks over it why it is called.
  ...(scope === 'system' ? ['After=network.target nss-user-lookup.target dbus.service dbus.socket'] : []),
  ...(scope === 'system' ? [`RequiresMountsFor=${pathWord(home)}`] : []),
  '# However often the daemon dies, programs run on, and it comes back.',
  'StartLimitIntervalSec=0',
];

function serviceSection(unit: DaemonUnit): string[] {
  const { scope, user, canNotify } = unit;
  return [
    '[Service]',
    ...(canNotify ? ['Type=notify', 'NotifyAccess=main'] : ['Type=exec']),
    ...(scope === 'system' ? [`User=${plainValue(user)}`] : []),
    ...execLines(unit),
    'Restart=always',
    'RestartSec=500ms',
    '# Programs outlive the daemon and its restarts: ExecStop= and ExecStopPost= end them when the unit is to stop.',
    'KillMode=process',
    `TimeoutStartSec=${startLimit}`,
    `TimeoutStopSec=${stopLimit}`,
    // Without the socket nothing could feed it.
    ...(canNotify
      ? [
          `WatchdogSec=${watchdogSec}s`,
          '# A daemon that hangs has nothing to tell before it is replaced.',
          'WatchdogSignal=SIGKILL',
        ]
      : []),
    '# A cgroup for each app: limits are real, and what happens in one stays there.',
    'Delegate=yes',
    `DelegateSubgroup=${startGroup}`,
    'OOMPolicy=continue',
    'TasksMax=infinity',
    '# Each program gets the limits of who started it, as far as these go.',
    'LimitNOFILE=524288',
    'UMask=0077',
  ];
}

/** Below the unit's own cgroup, which has to be empty to give controllers to those below. */
export const startGroup = 'start';

function execLines({ home, name, scope, version }: DaemonUnit): string[] {
  // Without a DelegateSubgroup= the next daemon is started in the unit's own cgroup.
  const releases = isKnown('DelegateSubgroup=', version) ? [] : ['release'];
  const line = (word: string) =>
    ['/bin/sh', `${home}/lib/unit.sh`, word, home, scope, name, ...releases].map(commandWord).join(' ');
  return [
    `ExecStart=${line('start')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    `ExecStop=${line('stop')}`,
    `ExecStopPost=${line('after')}`,
  ];
}

const installSection = ({ scope }: DaemonUnit): string[] => [
  '[Install]',
  `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
];

const comment = (text: string): string => (isOneLine(text) ? text : JSON.stringify(text));

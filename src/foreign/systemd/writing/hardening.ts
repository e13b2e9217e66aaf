/**
 * What a program is kept from: systemd.exec(5) "SANDBOXING", "CAPABILITIES", "SYSTEM CALL FILTERING", each with the reason beside it. `default` is what a program
 * of Node, Python and the like bears without knowing of it; `strict` needs a look: it sees little of the machine and writes to its own directory alone.
 * MemoryDenyWriteExecute= is nowhere: V8 and other engines make code at run time.
 */
import { dirname } from 'node:path';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { isPlainPath, pathWord } from './escape.ts';
import { usualUmask } from './limits.ts';

export const hardenings = ['default', 'strict', 'none'] as const;
export type Hardening = (typeof hardenings)[number];

/** Lines of `[Service]`. */
export function hardeningLines(app: Outgoing, context: SystemdContext): string[] {
  if (context.hardening === 'none') return [];
  const isStrict = context.hardening === 'strict';
  if (context.scope === 'user') return ['', ...ofUser, ...calls(isStrict)];
  const lines = [...rights(app, context), ...kernel, ...places(app, isStrict), ...calls(isStrict)];
  return ['', ...lines, ...(isStrict ? strictLines : [])].filter((line) => !isSaid(app, line));
}

/** These come from options as well. */
const isSaid = ({ spec }: Outgoing, line: string): boolean =>
  (spec.noNewPrivs && line === 'NoNewPrivileges=yes') || (spec.umask !== usualUmask && line.startsWith('UMask='));

const ofUser = [
  "# A user's own manager may not make namespaces or drop capabilities: what is left needs no right to it.",
  'NoNewPrivileges=yes',
];

/** Programs with the set-uid bit would get them all back. */
function rights(app: Outgoing, context: SystemdContext): string[] {
  const isRoot = (app.spec.user?.name ?? context.owner ?? 'root') === 'root';
  const bindsLow = !isRoot && lowPort(app);
  return [
    '# It gets no rights that it does not have: sudo, ping and the like do not work from it.',
    'NoNewPrivileges=yes',
    ...(isRoot && context.hardening === 'default'
      ? [
          '# It runs as root, with files of any owner, but without what would let it out of here. A user of its own (User=) is better.',
          `CapabilityBoundingSet=${rootKeeps.join(' ')}`,
        ]
      : [`CapabilityBoundingSet=${bindsLow ? bindService : ''}`]),
    ...(bindsLow ? ['# A port below 1024.', `AmbientCapabilities=${bindService}`] : []),
  ];
}

const bindService = 'CAP_NET_BIND_SERVICE';
const rootKeeps = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
];

/** What a socket unit binds needs no right. */
function lowPort({ spec, env }: Outgoing): boolean {
  if (spec.share.listen.length > 0) return false;
  const said = [env.get('PORT') ?? '', spec.ready?.kind === 'port' ? String(spec.ready.port) : ''];
  return said.some((text) => /^\d{1,4}$/.test(text) && Number(text) > 0 && Number(text) < 1024);
}

const kernel = [
  '# Nothing of the kernel, the clock or the hardware is its to change.',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'PrivateDevices=yes',
];

function places(app: Outgoing, isStrict: boolean): string[] {
  const paths = pathsOf(app);
  const usesTmp = paths.some((path) => /^\/(?:var\/)?tmp(?:\/|$)/.test(path));
  return [
    ...systemPlaces(app, isStrict),
    ...homePlaces(app, isStrict),
    ...(usesTmp
      ? ['# Something of it lies in /tmp, so it sees the real one.']
      : ['# A /tmp of its own: what others have there it does not see.', 'PrivateTmp=yes']),
  ];
}

function systemPlaces({ spec }: Outgoing, isStrict: boolean): string[] {
  if (!isStrict)
    return ['# /usr, /boot and /etc are read-only. Where all else is, too: --hardening strict.', 'ProtectSystem=full'];
  const files = [spec.log.out, spec.log.err].flatMap((path) => (path?.startsWith('/') ? [dirname(path)] : []));
  const writable = [...new Set([spec.cwd, ...files])].filter((path) => isPlainPath(path) && path !== '/dev');
  return [
    '# Everything is read-only but what is named here.',
    'ProtectSystem=strict',
    ...writable.map((path) => `ReadWritePaths=-${pathWord(path)}`),
  ];
}

/** `/root`, `/home` and `/run/user`, as ProtectHome= has them. */
const isInHome = (path: string): boolean => /^\/(?:root|home|run\/user)(?:\/|$)/.test(path);

function homePlaces(app: Outgoing, isStrict: boolean): string[] {
  const own = [...new Set(pathsOf(app).filter(isInHome))].filter(isPlainPath);
  if (own.length === 0) return ["# Nothing of it lies in people's homes.", 'ProtectHome=yes'];
  if (!isStrict) return [`# Something of it lies in a home (${own[0]}), so homes are not hidden: ProtectHome=.`];
  return [
    '# Of homes it sees its own places alone.',
    'ProtectHome=tmpfs',
    ...own.map((path) => `${path === app.spec.cwd ? 'BindPaths' : 'BindReadOnlyPaths'}=-${pathWord(path)}`),
  ];
}

/** What it is known to need. Of its program the directory above `bin`, where Node keeps what comes with it. */
function pathsOf({ spec, argv }: Outgoing): string[] {
  const [program = '', ...words] = argv;
  const files = words.filter((word) => word.startsWith('/')).map((word) => dirname(word));
  const sockets = spec.share.listen.flatMap((one) => (one.kind === 'unix' ? [one.path] : []));
  const all = [spec.cwd, dirname(dirname(program)), ...files, ...spec.envFiles, ...sockets, spec.log.out, spec.log.err];
  return all.filter((path) => path?.startsWith('/') === true && path !== '/') as string[];
}

function calls(isStrict: boolean): string[] {
  return [
    '# Calls that servers have no use for; a browser that is driven from here needs RestrictNamespaces=no.',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    ...(isStrict
      ? [
          '# os.networkInterfaces() needs AF_NETLINK.',
          'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
          '# What is not for services is refused, not killed.',
          'SystemCallFilter=@system-service',
          'SystemCallFilter=~@privileged @resources',
          'SystemCallErrorNumber=EPERM',
        ]
      : ['RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK']),
  ];
}

const strictLines = [
  '# It sees no other processes and no other users, and leaves nothing in shared memory.',
  'ProtectProc=invisible',
  'ProcSubset=pid',
  'PrivateUsers=yes',
  'PrivateIPC=yes',
  'RemoveIPC=yes',
  'KeyringMode=private',
  'UMask=0077',
];

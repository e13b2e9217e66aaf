/** The `.socket` units of what an app listens on: systemd.socket(5). */
import type { ListenSpec } from '../../../protocol/spec.ts';
import type { Outgoing, WrittenFile } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { isPlainPath, plainValue } from './escape.ts';
import { isTemplate } from './instances.ts';
import { headOf, unitText } from './unit-text.ts';

interface SocketUnit {
  /** `web.socket` */
  readonly name: string;
  readonly listen: readonly ListenSpec[];
  /** For LISTEN_FDNAMES; null: the name of the unit. */
  readonly fdName: string | null;
}

/** One, in their order; but of those with names each has one of its own, as a unit gives one name to all it has. */
export function socketUnits({ spec }: Outgoing): readonly SocketUnit[] {
  const listen = spec.share.listen.filter((one) => one.kind !== 'unix' || isPlainPath(one.path));
  if (listen.length === 0) return [];
  if (listen.length > 1 && listen.some(({ name }) => name !== null))
    return listen.map((one, at) => ({ name: `${spec.name}-${at}.socket`, listen: [one], fdName: fdNameOf(one) }));
  return [{ name: `${spec.name}.socket`, listen, fdName: listen.length === 1 ? fdNameOf(listen[0]!) : null }];
}

/** As many as the kernel takes without being told more (net.core.somaxconn). */
const backlog = 4096;

/** As stead names it. */
const fdNameOf = (one: ListenSpec): string => one.name ?? (one.kind === 'unix' ? 'unix' : `${one.kind}-${one.port}`);

export function socketFiles(app: Outgoing, { scope, version }: SystemdContext): WrittenFile[] {
  const { name, user, umask } = app.spec;
  const service = isTemplate(app) ? `${name}@0.service` : `${name}.service`;
  const sectionsOf = (unit: SocketUnit) => ({
    Unit: [`Description=${plainValue(`Sockets of ${name}`)}`],
    Socket: [
      ...unit.listen.map(listenLine),
      ...(unit.fdName === null ? [] : [`FileDescriptorName=${plainValue(unit.fdName)}`]),
      ...(unit.name === service.replace('.service', '.socket') ? [] : [`Service=${service}`]),
      // Who comes while the service restarts waits; before 253 it would be 128 of them.
      `Backlog=${backlog}`,
      ...(unit.listen.some(({ kind }) => kind === 'unix')
        ? [
            `SocketMode=0${(0o777 & ~umask).toString(8)}`,
            ...(user === null || scope === 'user' ? [] : [`SocketUser=${plainValue(user.name)}`]),
          ]
        : []),
    ],
    Install: ['WantedBy=sockets.target'],
  });
  return socketUnits(app).map((unit) => ({
    name: unit.name,
    isPrivate: false,
    text: unitText(headOf(app), sectionsOf(unit), version),
  }));
}

function listenLine(one: ListenSpec): string {
  const key = one.kind === 'udp' ? 'ListenDatagram' : 'ListenStream';
  if (one.kind === 'unix') return `${key}=${plainValue(one.path)}`;
  return `${key}=${one.host === null ? '' : `${one.host.includes(':') ? `[${one.host}]` : one.host}:`}${one.port}`;
}

/** Of `[Service]`: whose sockets it is given, where their names don't tell. */
export function socketsLines(app: Outgoing): string[] {
  const units = socketUnits(app).map(({ name }) => name);
  if (units.length === 0) return [];
  const isOwn = !isTemplate(app) && units.length === 1;
  return [...(isOwn ? [] : [`Sockets=${units.join(' ')}`]), ...(app.spec.share.nonblock ? ['NonBlocking=yes'] : [])];
}

/** How a Node program that says `listen(PORT)` comes to the sockets of its unit: by `stead-listen.cjs`, loaded first (src/sockets/listen-fds.cjs). */
import { isNode } from '../../outgoing.ts';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { assignment, isAssignable } from './escape.ts';
import { socketUnits } from './socket.ts';

/** Beside the units: there is always such a directory, nothing hides it from a program, and it goes where they go. */
export const listenFile = 'stead-listen.cjs';

export const usesListenFile = (app: Outgoing): boolean =>
  isNode(app) && socketUnits(app).some(({ listen }) => listen.some(({ kind }) => kind !== 'udp'));

/** `%E` is /etc, or a user's ~/.config. */
export function listenVariables(app: Outgoing, { scope }: SystemdContext): string[] {
  if (!usesListenFile(app)) return [];
  const said = app.env.get('NODE_OPTIONS');
  const own = said !== undefined && isAssignable('NODE_OPTIONS', said) ? said : undefined;
  const file = `--require="%E/systemd/${scope}/${listenFile}"`;
  const signal = app.spec.stopSignals[0]?.signal ?? 'SIGTERM';
  const options = own === undefined ? file : `${own.replaceAll('%', '%%')} ${file}`;
  return [
    '# So that listen(PORT) takes the socket of the unit. It needs no stead.',
    `Environment=${assignment('NODE_OPTIONS', options).replaceAll('%%', '%')}`,
    ...(signal === 'SIGTERM' ? [] : [`Environment=STEAD_STOP_SIGNAL=${signal}`]),
  ];
}

/** It can be asked to take no more connections, and says when it has answered all. */
export const drains = usesListenFile;
export const drainMs = ({ spec }: Outgoing): number => spec.share.drainTimeoutMs;

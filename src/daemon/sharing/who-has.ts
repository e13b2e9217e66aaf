/** Who has an address that an app wants. */
import { describeHolder, whoListens } from '../../metrics/sockets.ts';
import { appOfCookie } from '../../metrics/tree.ts';
import { parseKey } from '../../sockets/address.ts';
import type { App } from '../app.ts';

export interface AddressHolder {
  /** `stead holds it for "api"`, `it is held by pid 812 (node other.js)`. */
  readonly inWords: string;
  readonly hint: string;
  /** A process of the app itself. */
  readonly isOwn: boolean;
}

/** Null if nobody that can be known has it. */
export function whoHas(app: App, key: string): AddressHolder | null {
  const other = heldFor(app, key);
  if (other !== null)
    return {
      inWords: `stead holds it for "${other.name}"`,
      hint: `stead stop ${other.name}, or another port`,
      isOwn: false,
    };
  const port = parseKey(key)?.port ?? 0;
  const holder = port === 0 ? null : whoListens(port);
  if (holder === null) return null;
  const { daemon, name } = app;
  const isMarked = holder.cookie?.startsWith(`${daemon.homeId}.`) === true && appOfCookie(holder.cookie) === name;
  const isOwn = isMarked || app.all.some(({ program }) => program?.pid === holder.pid);
  return {
    inWords: `it is held by ${describeHolder(holder)}`,
    hint:
      holder.pid === null || holder.cookie !== null
        ? 'choose another address'
        : `stead adopt ${holder.pid}, or choose another port`,
    isOwn,
  };
}

/** Another app whose sockets this daemon holds, and that has this address. */
export const heldFor = (app: App, key: string): App | null =>
  [...app.daemon.apps.values()].find(
    (one) => one !== app && one.sharing?.held.entries().some((held) => overlap(held.key, key)),
  ) ?? null;

/** The same address, or the same port where one of the two is all addresses. */
function overlap(one: string, other: string): boolean {
  const [a, b] = [parseKey(one), parseKey(other)];
  if (one === other || a === null || b === null || a.path !== null || b.path !== null) return one === other;
  const isSamePort = a.kind.startsWith('udp') === b.kind.startsWith('udp') && a.port === b.port && a.port !== 0;
  return isSamePort && (a.host === null || b.host === null || a.host === b.host);
}

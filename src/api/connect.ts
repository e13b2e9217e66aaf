import { basename, resolve } from 'node:path';
import { resolveHome } from '../host/home.ts';
import { Asking } from './asking.ts';
import { Client } from './client.ts';
import type { ConnectOptions, Stead } from './types.ts';

/**
 * A client of one home's stead. Nothing is asked yet, unless `start` is set: then a daemon answers once this resolves. Throws what keeps one from it (HOME_UNSAFE, HOME_UNUSABLE,
 * DAEMON_UNREACHABLE, VERSION_SKEW), and the signal's reason.
 */
export async function connect({ home, start = false, by, signal }: ConnectOptions = {}): Promise<Stead> {
  const asking = new Asking({
    home: home === undefined ? resolveHome() : resolve(home),
    start,
    by: by ?? `connect() in ${basename(process.argv[1] ?? process.execPath)}`,
  });
  await asking.lifetimes.during(signal, (inner) => asking.ready(inner));
  return new Client(asking);
}

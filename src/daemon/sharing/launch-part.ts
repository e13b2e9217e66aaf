/** What of a launch concerns shared sockets: descriptors, variables, and what Node loads first. */
import type { AppSpec, ListenSpec } from '../../protocol/spec.ts';
import { keyOf, nameOf } from '../../sockets/address.ts';
import type { KeyedSocket } from '../../sockets/holder.ts';
import type { Instance } from '../instance.ts';
import { makeReachDirectory, makeReachFile, preloadModule, sharePlace } from '../reach.ts';

/** fds of a program: dash numbers no others. */
const firstFd = 3;
const lastFd = 7;

export interface LaunchPart {
  readonly sockets: readonly { readonly at: number; readonly fd: number }[];
  readonly env: readonly string[];
  /** To be loaded first by Node; null where there is nothing to load. */
  readonly preload: string | null;
  /** Variables that hold the program's own pid. */
  readonly pidNames: readonly string[];
}

interface Numbered extends KeyedSocket {
  readonly at: number;
}

/** `hasPreload`: its program is Node, and comes to all that is held; else to what its spec names alone. */
export function launchPart(
  instance: Instance,
  {
    run,
    held,
    hasPreload,
  }: { readonly run: number; readonly held: readonly KeyedSocket[]; readonly hasPreload: boolean },
): LaunchPart {
  const { spec } = instance.app;
  const declared = spec.share.listen;
  const numbered = number(spec, held, hasPreload);
  const own = declared.length === 0 ? [] : ['LISTEN_PID'];
  const env = [...(declared.length === 0 ? [] : listenEntries(declared)), ...instanceEntries(instance)];
  const sockets = numbered.map(({ at, fd }) => ({ at, fd }));
  if (!hasPreload) return { sockets, env, preload: null, pidNames: own };
  return {
    sockets,
    env: [...env, `STEAD_SHARE=${JSON.stringify(forPreload(instance, run, numbered))}`],
    preload: preloadModule(instance, 'share.cjs'),
    pidNames: [...own, 'STEAD_PID'],
  };
}

function forPreload(instance: Instance, run: number, numbered: readonly Numbered[]): object {
  const directory = makeReachDirectory(instance, run);
  makeReachFile(instance, directory, 'listening');
  return {
    directory,
    socket: sharePlace(instance.app).path,
    sockets: Object.fromEntries(numbered.map(({ at, key }) => [key, at])),
    drainSignal: instance.app.spec.share.drainSignal,
  };
}

/** Declared ones first and without a gap, as LISTEN_FDS wants; then others while there is room. */
function number(spec: AppSpec, held: readonly KeyedSocket[], hasPreload: boolean): readonly Numbered[] {
  const declared = spec.share.listen.map(keyOf);
  const others = hasPreload ? held.filter(({ key }) => !declared.includes(key)) : [];
  const ordered = [...declared.flatMap((key) => held.find((one) => one.key === key) ?? []), ...others];
  const taken = spec.ready?.kind === 'fd' ? spec.ready.fd : null;
  const places = Array.from({ length: lastFd - firstFd + 1 }, (_, at) => firstFd + at);
  const free = places.filter((at, nth) => at !== taken || nth < declared.length);
  return ordered.slice(0, free.length).map((one, nth) => ({ ...one, at: free[nth]! }));
}

function listenEntries(declared: readonly ListenSpec[]): string[] {
  return [`LISTEN_FDS=${declared.length}`, `LISTEN_FDNAMES=${declared.map(nameOf).join(':')}`];
}

/** Which of them it is; as pm2 names it, too. */
function instanceEntries({ app, index }: Instance): string[] {
  const { instances, incrementVar } = app.spec.share;
  const before = incrementVar === null ? undefined : variableOf(app.spec.env, incrementVar);
  return [
    ...(instances === null ? [] : [`STEAD_INSTANCE=${index}`, `NODE_APP_INSTANCE=${index}`]),
    ...(incrementVar === null ? [] : [`${incrementVar}=${(Number(before) || 0) + index}`]),
  ];
}

const variableOf = (env: readonly string[], name: string): string | undefined =>
  env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);

/** The units of one app that is to go to systemd, and what is said of it afterwards. */
import { dirname, join } from 'node:path';
import { argvOf, outgoing } from '../../foreign/outgoing.ts';
import { looksSecret } from '../../foreign/secret-names.ts';
import { environmentFile, isOfSession } from '../../foreign/systemd/writing/env-file.ts';
import type { Hardening } from '../../foreign/systemd/writing/hardening.ts';
import { listenFile, usesListenFile } from '../../foreign/systemd/writing/listen.ts';
import { unitsOf } from '../../foreign/systemd/writing/write.ts';
import type { Outgoing, WrittenFile } from '../../foreign/written.ts';
import type { Keeper } from '../../protocol/api.ts';
import type { AppSpec, ListenSpec } from '../../protocol/spec.ts';
import { keyOf, parseKey } from '../../sockets/address.ts';
import type { Scope } from '../../systemd/manager.ts';
import { unitPlace } from '../../systemd/unit-file.ts';
import { executableOf } from '../executable-of.ts';
import { listenText } from '../machine-facts.ts';

export interface Wanted {
  readonly scope: Scope;
  readonly hardening: Hardening;
  readonly version: number;
  /** Who owns the home; null: root. */
  readonly owner: string | null;
  /** By name of each app that goes, or has gone: the unit that others may need. */
  readonly units: ReadonlyMap<string, string>;
}

export interface Plan {
  /** As stead knows it. */
  readonly name: string;
  readonly spec: AppSpec;
  /** Absolute. */
  readonly directory: string;
  readonly files: readonly WrittenFile[];
  readonly keeper: Keeper;
}

/** `held`: keys of the sockets that stead holds for it. `plain`: its spec under a name that a unit can have. */
export async function planOf(
  { name, spec, plain, isWanted }: { name: string; spec: AppSpec; plain: AppSpec; isWanted: boolean },
  held: readonly string[],
  wanted: Wanted,
): Promise<Plan> {
  const listen = listenOf(spec, held);
  const shared = { ...plain, share: { ...plain.share, listen } };
  const app = await outgoingOf(shared);
  const directory = dirname(unitPlace(`${plain.name}.service`, wanted.scope, process.env).path);
  const { said, hidden } = divided(app);
  const envName = `${plain.name}.env`;
  const written = {
    ...app,
    env: said,
    spec: hidden.size === 0 ? shared : { ...shared, envFiles: [...shared.envFiles, join(directory, envName)] },
  };
  const units = unitsOf(written, wanted);
  const notes = [`Environment of ${plain.name}.service, as it was when stead handed it over.`];
  const files = [
    ...units,
    ...(hidden.size === 0 ? [] : [{ name: envName, text: environmentFile(hidden, notes), isPrivate: true }]),
    ...(usesListenFile(written) ? [{ name: listenFile, text: listenText(), isPrivate: false }] : []),
  ];
  const keys = listen.map(keyOf);
  return {
    name,
    spec,
    directory,
    files,
    keeper: keeperOf(written, { files, keys, isWanted, scope: wanted.scope, directory }),
  };
}

/** Those that it names, then those that it was found to listen on; any free port is none that a unit could name. */
function listenOf({ share }: AppSpec, held: readonly string[]): readonly ListenSpec[] {
  const declared = share.listen.map(keyOf);
  const found = held.filter((key) => !declared.includes(key)).map(parseKey);
  return [
    ...share.listen,
    ...found.flatMap((key): ListenSpec[] => {
      if (key === null || key.nth !== null || key.port === 0) return key?.path ? [unixOf(key.path)] : [];
      const kind = key.kind === 'tcp' ? 'tcp' : 'udp';
      return [{ kind, name: null, host: key.ipv6Only ? '::' : key.host, port: key.port }];
    }),
  ];
}

const unixOf = (path: string): ListenSpec => ({ kind: 'unix', name: null, path });

async function outgoingOf(spec: AppSpec): Promise<Outgoing> {
  const executable = await executableOf(spec, argvOf(spec)[0] ?? '');
  return outgoing(spec, { executable, idle: null, withEnv: true, withSecrets: true });
}

/** What was said with -e stands in the unit, which everybody may read by systemctl show; the rest, and what looks secret, in a file that root alone reads. */
function divided({ env, spec }: Outgoing): { said: Map<string, string>; hidden: Map<string, string> } {
  const names = new Set((spec.options.env ?? []).map((entry) => entry.split('=', 1)[0]!));
  const own = [...env].filter(([name]) => names.has(name) || !isOfSession(name));
  const isSaid = ([name, value]: [string, string]) =>
    (names.has(name) && !looksSecret(name, value)) || name === 'NODE_OPTIONS' || name === 'PATH';
  return { said: new Map(own.filter(isSaid)), hidden: new Map(own.filter((entry) => !isSaid(entry))) };
}

interface Made {
  readonly files: readonly WrittenFile[];
  readonly keys: readonly string[];
  readonly isWanted: boolean;
  readonly scope: Scope;
  readonly directory: string;
}

function keeperOf({ spec }: Outgoing, { files: written, keys, isWanted, scope, directory }: Made): Keeper {
  // What Node programs load first is shared by all units.
  const names = written.map(({ name }) => name).filter((name) => name !== listenFile);
  const of = (ending: string) => names.filter((name) => name.endsWith(ending));
  const count = spec.share.instances ?? 1;
  const services =
    count > 1 ? Array.from({ length: count }, (_, index) => `${spec.name}@${index}.service`) : [`${spec.name}.service`];
  const sockets = of('.socket');
  const triggers = [...of('.timer'), ...of('.path')];
  const main =
    spec.kind === 'job'
      ? (of('.timer')[0] ?? services[0]!)
      : spec.share.onDemand && sockets.length > 0
        ? sockets[0]!
        : (of('.target')[0] ?? services[0]!);
  const files = names.map((name) => join(directory, name));
  return { by: 'systemd', scope, main, services, sockets, triggers, files, keys, isWanted };
}

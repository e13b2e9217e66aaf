/** Which apps go to systemd, in which order, and under which names. */
import { withPlainNames } from '../../foreign/plain-names.ts';
import { SteadError } from '../../protocol/errors.ts';
import { selectApps } from '../../protocol/select.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { isBooted, managerVersion, type Scope } from '../../systemd/manager.ts';
import { request } from '../http.ts';
import { ownerOf, systemdVersion } from '../machine-facts.ts';
import { type SpecOnDisk, specsFromDisk } from '../offline.ts';
import { isDaemonDown } from '../unreachable.ts';
import { type Plan, planOf, type Wanted } from './plan.ts';

export interface Going {
  readonly apps: readonly SpecOnDisk[];
  /** Of each of them, by its name. */
  readonly plain: ReadonlyMap<string, AppSpec>;
  readonly units: ReadonlyMap<string, string>;
  readonly owner: string | null;
}

/** Throws UNSUPPORTED where there is no systemd to write for. A dry run needs none. */
export async function managerVersionOf(scope: Scope, isDry: boolean): Promise<number> {
  if (isDry) return systemdVersion();
  if (!isBooted())
    throw new SteadError('UNSUPPORTED', 'This machine does not run systemd: there is nobody to hand over to.', {
      hint: 'stead export systemd writes units for another machine',
    });
  if (scope === 'system' && process.geteuid!() !== 0)
    throw new SteadError('NOT_PERMITTED', "The machine's systemd is root's.", {
      hint: "stead handoff --user: your own systemd; or root's own apps by sudo -H stead handoff",
    });
  return managerVersion(scope);
}

/** What others need goes first. Throws APP_NOT_FOUND, KEPT_BY_SYSTEMD, UNSUPPORTED for what can't go. */
export async function whoGoes(home: string, selectors: readonly string[]): Promise<Going> {
  const all = await specsFromDisk(home);
  const chosen = selectApps(all, selectors);
  for (const app of chosen) refuse(app);
  const plain = withPlainNames(chosen.map(({ spec }) => spec));
  const kept = all.flatMap(({ name, keeper }): [string, string][] => (keeper === null ? [] : [[name, keeper.main]]));
  return {
    apps: inOrder(chosen),
    plain: new Map(chosen.map(({ name }, at) => [name, plain[at]!])),
    units: new Map([...kept, ...plain.map((spec): [string, string] => [spec.name, mainOf(spec)])]),
    owner: await ownerOf(home),
  };
}

const mainOf = ({ name, share }: AppSpec): string => `${name}.${(share.instances ?? 1) > 1 ? 'target' : 'service'}`;

function refuse({ name, spec, keeper, isOver }: SpecOnDisk): void {
  if (keeper !== null)
    throw new SteadError('KEPT_BY_SYSTEMD', `systemd keeps "${name}" already (${keeper.main}).`, {
      hint: `stead takeback ${name} takes it back`,
    });
  if (spec.kind === 'job' && spec.schedule === null)
    throw new SteadError('UNSUPPORTED', `"${name}" is a job: it ends by itself, and systemd has nothing to keep.`, {
      hint: `${isOver ? '' : 'let it end; '}stead run --systemd runs a command under systemd`,
    });
}

function inOrder(apps: readonly SpecOnDisk[]): readonly SpecOnDisk[] {
  const ordered = new Set<SpecOnDisk>();
  const add = (app: SpecOnDisk, path: readonly SpecOnDisk[]) => {
    if (path.includes(app)) return;
    const needed = [...Object.keys(app.spec.dependsOn), ...app.spec.after];
    for (const other of apps) if (needed.includes(other.name)) add(other, [...path, app]);
    ordered.add(app);
  };
  for (const app of apps) add(app, []);
  return [...ordered];
}

/** With the sockets that stead holds for it now. */
export async function planned(
  home: string,
  app: SpecOnDisk,
  { plain, ...wanted }: Going & Omit<Wanted, 'owner' | 'units'>,
): Promise<Plan> {
  const { name, spec, isWanted } = app;
  if (spec.kind === 'job') await refuseRunning(home, name);
  const held = await heldKeys(home, name);
  return planOf({ name, spec, plain: plain.get(name)!, isWanted }, held, wanted);
}

async function heldKeys(home: string, name: string): Promise<readonly string[]> {
  try {
    const { held = [] } = await request(home, 'show', { params: { sel: name } });
    return held.map(({ key }) => key);
  } catch (error) {
    if (isDaemonDown(error)) return [];
    throw error;
  }
}

/** What runs is not to be cut off, and not to run twice. */
async function refuseRunning(home: string, name: string): Promise<void> {
  const apps = await request(home, 'list').catch(() => []);
  const isUp = apps.find((one) => one.name === name)?.instances.some(({ pid }) => pid !== null);
  if (isUp)
    throw new SteadError('UNSUPPORTED', `"${name}" runs just now, and would be cut off.`, {
      hint: `stead wait ${name}`,
    });
}

/** What the API tells of the daemon's apps. */
import { cgroupPids } from '../host/cgroup.ts';
import { logFiles } from '../logs/layout.ts';
import { descendants } from '../metrics/forest.ts';
import { readProcTable } from '../metrics/proc-table.ts';
import { processLine } from '../metrics/process-line.ts';
import { socketsOf } from '../metrics/sockets.ts';
import type { AppDetail, AppView, SocketView } from '../protocol/api.ts';
import type { SpecOptions } from '../protocol/spec.ts';
import { readExits } from '../storage/apps.ts';
import { appView } from '../view/app-view.ts';
import { lookAtTrees, type TreeToLookAt } from '../view/usage.ts';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';
import { Tree } from './tree.ts';

/** Rows of the list, in the order given. */
export function appViews(daemon: Daemon, apps: readonly App[]): AppView[] {
  const usages = lookAtTrees(
    apps.flatMap(({ instances }) => instances.flatMap(treeOf)),
    daemon.cpu,
  );
  return apps.map((app) =>
    appView(
      app.spec,
      app.stored(),
      app.instances.map((instance) => ({
        index: instance.index,
        model: instance.model,
        sinceWall: instance.sinceWall,
        pid: instance.program?.pid ?? null,
        status: instance.statusText,
        usage: isUp(instance) ? (usages.get(instance.key) ?? null) : null,
      })),
      app.want === 'running' ? daemon.scheduler.nextOf(app.instances[0]!) : null,
    ),
  );
}

/** One app, whole. */
export function appDetail(daemon: Daemon, app: App, showEnv: boolean): AppDetail {
  const { spec } = app;
  const env = showEnv ? spec.env : spec.env.map(nameOnly);
  const pids = app.instances.filter(isUp).flatMap((instance) => instance.tree.members().map(({ pid }) => pid));
  const table = readProcTable();
  return {
    ...appViews(daemon, [app])[0]!,
    spec: { ...spec, env, options: showEnv ? spec.options : withoutValues(spec.options) },
    by: app.by,
    exits: readExits(daemon.home, app.name),
    logs: logFiles(daemon.home, app.name, 0, spec.log),
    sockets: socketsOf(pids),
    env,
    processes: pids.map((pid) => ({ pid, ppid: table.get(pid)?.ppid ?? 0, command: processLine(pid) ?? '' })),
  };
}

/** What an instance's tree listens on. */
export function listeningOf(instance: Instance): readonly SocketView[] {
  if (!isUp(instance) || instance.program === null) return [];
  const cgroup = Tree.cgroupOf(instance);
  const byCgroup = cgroup === null ? null : cgroupPids(cgroup);
  // Before it is in its cgroup, or without one: the program and its children are enough, as this is asked every few milliseconds.
  return socketsOf(byCgroup?.length ? byCgroup : descendants(instance.program.pid));
}

/** Values of variables are shown on request alone. */
export const withoutValues = (options: SpecOptions): SpecOptions =>
  options.env === undefined ? options : { ...options, env: options.env.map(nameOnly) };

const nameOnly = (entry: string) => entry.split('=', 1)[0]!;

const isUp = ({ model }: Instance): boolean =>
  ['running', 'stopping', 'stuck'].includes(model.state.name) ||
  (model.state.name === 'starting' && model.state.isLaunched);

function treeOf(instance: Instance): TreeToLookAt[] {
  if (!isUp(instance) || instance.program === null) return [];
  return [{ key: instance.key, program: instance.program, cgroup: Tree.cgroupOf(instance) }];
}

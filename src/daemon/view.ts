/** What the API tells of the daemon's apps. */
import { cgroupPids } from '../host/cgroup.ts';
import type { Role } from '../lifecycle/state.ts';
import { logFiles } from '../logs/layout.ts';
import { descendants } from '../metrics/forest.ts';
import { readProcTable } from '../metrics/proc-table.ts';
import { processLine } from '../metrics/process-line.ts';
import { socketsOf } from '../metrics/sockets.ts';
import type { AppDetail, AppView, HeldSocket, SocketView, TerminalView } from '../protocol/api.ts';
import type { SpecOptions } from '../protocol/spec.ts';
import { addressInList, addressInWords } from '../sockets/address.ts';
import { queueLengths } from '../sockets/queue.ts';
import { readExits } from '../storage/apps.ts';
import { appView } from '../view/app-view.ts';
import { lookAtTrees, type TreeToLookAt } from '../view/usage.ts';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';
import type { Instance } from './instance.ts';
import { isAccepting } from './sharing/accepting.ts';
import type { Sharing } from './sharing/sharing.ts';
import { Tree } from './tree.ts';

/** Rows of the list, in the order given. */
export function appViews(daemon: Daemon, apps: readonly App[]): AppView[] {
  const usages = lookAtTrees(
    apps.flatMap(({ all }) => all.flatMap(treeOf)),
    daemon.cpu,
  );
  return apps.map((app) => {
    const view = appView(
      app.spec,
      app.stored(),
      shownOf(app).map((instance) => ({
        index: instance.index,
        role: instance.role,
        model: instance.model,
        sinceWall: instance.sinceWall,
        pid: instance.program?.pid ?? null,
        status: instance.statusText,
        terminal: terminalOf(instance),
        usage: isUp(instance) ? (usages.get(instance.key) ?? null) : null,
      })),
      app.want === 'running' ? daemon.scheduler.nextOf(app.instances[0]!) : null,
    );
    const ports = app.sharing === null ? view.ports : [...new Set([...view.ports, ...heldPorts(app)])];
    return { ...view, ports, reason: view.reason ?? daemon.watching.problemOf(app) };
  });
}

function terminalOf(instance: Instance): TerminalView | null {
  if (instance.app.spec.tty === null || !isUp(instance)) return null;
  const view = instance.app.daemon.terminals.viewOf(instance);
  if (view === null) return null;
  const { cols, rows, clients, title, problem = null } = view;
  return { cols, rows, clients, title, problem };
}

/** What the kernel's list of the programs' listening sockets lacks: UDP, and all of an app that waits for its first connection. */
function heldPorts({ all, sharing }: App): readonly string[] {
  const isAnyUp = all.some(isUp);
  return (sharing?.held.entries() ?? [])
    .filter(({ key }) => !isAnyUp || key.startsWith('udp'))
    .flatMap(({ key }) => addressInList(key) ?? []);
}

/** One app, whole. */
export function appDetail(daemon: Daemon, app: App, showEnv: boolean): AppDetail {
  const { spec } = app;
  const env = showEnv ? spec.env : spec.env.map(nameOnly);
  const pids = app.all.filter(isUp).flatMap((instance) => instance.tree.members().map(({ pid }) => pid));
  const table = readProcTable();
  return {
    ...appViews(daemon, [app])[0]!,
    spec: { ...spec, env, options: showEnv ? spec.options : withoutValues(spec.options) },
    by: app.by,
    exits: readExits(daemon.home, app.name),
    logs: logFiles(daemon.home, app.name, 0, spec.log),
    sockets: socketsOf(pids),
    env,
    watchProblem: daemon.watching.problemOf(app),
    held: heldOf(app),
    processes: pids.map((pid) => ({ pid, ppid: table.get(pid)?.ppid ?? 0, command: processLine(pid) ?? '' })),
  };
}

/** By index, and of one index those that serve first. */
const shownOf = ({ all }: App): readonly Instance[] =>
  all.toSorted((a, b) => a.index - b.index || roles.indexOf(a.role) - roles.indexOf(b.role));

const roles: readonly Role[] = ['main', 'candidate', 'retiring'];

/** The sockets that stead holds for it, and who accepts from them, as far as its programs tell. */
function heldOf({ sharing, all }: App): HeldSocket[] {
  if (sharing === null) return [];
  const entries = sharing.held.entries();
  const queues = queueLengths(entries.map(({ fd }) => fd));
  return entries.map(({ key }, at) => ({
    key,
    address: addressInWords(key),
    queue: queues[at] ?? null,
    ...(sharing.held.isPathTaken(key) && { isPathTaken: true }),
    accepting: all
      .filter((instance) => isUp(instance) && instance.program !== null)
      .filter((instance) => sharing.tellings.listeningOf(instance)?.has(key) ?? isAccepting(instance, [entries[at]!]))
      .map((instance) => ({ index: instance.index, pid: instance.program!.pid })),
  }));
}

/** What an instance's tree listens on. */
export function listeningOf(instance: Instance): readonly SocketView[] {
  if (!isUp(instance) || instance.program === null) return [];
  const { sharing } = instance.app;
  // It tells of them itself: no need to look for what fifty of them have.
  if (sharing?.hasPreload) return toldBy(sharing, instance, instance.program.pid);
  const cgroup = Tree.cgroupOf(instance);
  const byCgroup = cgroup === null ? null : cgroupPids(cgroup);
  // Before it is in its cgroup, or without one: the program and its children are enough, as this is asked every few milliseconds.
  return socketsOf(byCgroup?.length ? byCgroup : descendants(instance.program.pid));
}

const toldBy = ({ tellings }: Sharing, instance: Instance, pid: number): readonly SocketView[] =>
  [...(tellings.listeningOf(instance) ?? [])].flatMap(([key, { address }]) => {
    const protocol = key.startsWith('tcp') ? (address.startsWith('[') ? 'tcp6' : 'tcp') : 'unix';
    return key.startsWith('udp') ? [] : [{ protocol, address, pid }];
  });

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

/** What systemd tells of the apps that it keeps, in place of what stead knows of them. */
import { monotonicMs, wallMs } from '../../host/clock.ts';
import { processStat } from '../../host/process.ts';
import { CpuMeter } from '../../metrics/cpu.ts';
import type { AppView, InstanceView, Keeper, StateName } from '../../protocol/api.ts';
import { type Scope, systemctl } from '../../systemd/manager.ts';
import { lookAtTrees, type Usage } from '../../view/usage.ts';

const asked = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'MainPID',
  'NRestarts',
  'Result',
  'ExecMainStatus',
  'ExecMainStartTimestampMonotonic',
  'StateChangeTimestampMonotonic',
] as const;
type Facts = Readonly<Partial<Record<(typeof asked)[number], string>>>;

/** Those that stead keeps are as they were. One call of systemctl for all of a manager. */
export function withKept<View extends AppView>(views: readonly View[]): readonly View[] {
  const kept = views.flatMap(({ keeper }) => keeper ?? []);
  if (kept.length === 0) return views;
  const facts = new Map([...factsOf('system', kept), ...factsOf('user', kept)]);
  const usages = usagesOf([...facts.values()]);
  return views.map((view) => (view.keeper ? seen(view, view.keeper, facts, usages) : view));
}

function factsOf(scope: Scope, kept: readonly Keeper[]): [string, Facts][] {
  const units = kept.filter((one) => one.scope === scope).flatMap(({ services, main }) => [...services, main]);
  if (units.length === 0) return [];
  try {
    const { stdout } = systemctl(scope, ['show', `--property=${asked.join(',')}`, ...new Set(units)]);
    return stdout.split('\n\n').map((block) => {
      const facts: Facts = Object.fromEntries(block.split('\n').map((line) => line.split(/=(.*)/s, 2)));
      return [`${scope}:${facts.Id}`, facts];
    });
  } catch {
    // There is no systemctl: it can't be known.
    return [];
  }
}

function usagesOf(facts: readonly Facts[]): ReadonlyMap<string, Usage> {
  const trees = facts.flatMap(({ MainPID }) => {
    const stat = processStat(Number(MainPID));
    const program = { pid: Number(MainPID), startTicks: stat?.startTicks ?? 0 };
    return stat === null ? [] : [{ key: MainPID!, program, cgroup: null }];
  });
  return lookAtTrees(trees, new CpuMeter());
}

function seen<View extends AppView>(
  view: View,
  keeper: Keeper,
  facts: ReadonlyMap<string, Facts>,
  usages: ReadonlyMap<string, Usage>,
): View {
  const of = (unit: string) => facts.get(`${keeper.scope}:${unit}`);
  const main = of(keeper.main);
  const isIdle = keeper.main.endsWith('.service') || keeper.main.endsWith('.target') || main?.ActiveState !== 'active';
  const instances = keeper.services.map((unit, index) => instanceOf(index, of(unit), { view, isIdle, usages }));
  const worst = [...instances].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0]!;
  const ports = instances.flatMap(({ pid }) => usages.get(String(pid))?.ports ?? []);
  const keptBy = `systemd keeps it: ${keeper.main}`;
  return {
    ...view,
    want: ['stopped', 'completed', 'failed'].includes(worst.state) ? 'stopped' : 'running',
    state: worst.state,
    reason: worst.reason === null ? keptBy : `${worst.reason}; ${keptBy}`,
    instances,
    ports: [...new Set(ports)],
    nextRun: null,
  };
}

/** An app shows the first of these that one of its instances has. */
const order: readonly StateName[] = [
  'failed',
  'backoff',
  'starting',
  'stopping',
  'waiting',
  'running',
  'completed',
  'stopped',
];

interface Around {
  readonly view: AppView;
  /** Nothing that is active would start it. */
  readonly isIdle: boolean;
  readonly usages: ReadonlyMap<string, Usage>;
}

function instanceOf(index: number, facts: Facts | undefined, { view, isIdle, usages }: Around): InstanceView {
  const state = facts === undefined ? 'stopped' : stateIn(facts, view.kind, isIdle);
  const usage = usages.get(facts?.MainPID ?? '');
  const at = Number(facts?.StateChangeTimestampMonotonic ?? 0) / 1000;
  return {
    index,
    state,
    ready: state === 'running',
    pid: Number(facts?.MainPID ?? 0) || null,
    since: at > 0 ? new Date(wallMs() - (monotonicMs() - at)).toISOString() : null,
    restarts: Number(facts?.NRestarts ?? 0) || 0,
    memory: usage?.memory ?? null,
    cpu: usage?.cpu ?? null,
    reason: reasonIn(facts, state),
  };
}

function stateIn(
  { ActiveState, SubState, ExecMainStartTimestampMonotonic }: Facts,
  kind: AppView['kind'],
  isIdle: boolean,
): StateName {
  if (ActiveState === 'active' || ActiveState === 'reloading') return SubState === 'exited' ? 'completed' : 'running';
  if (ActiveState === 'activating')
    return SubState === 'auto-restart' ? 'backoff' : kind === 'job' && SubState === 'start' ? 'running' : 'starting';
  if (ActiveState === 'deactivating') return 'stopping';
  if (ActiveState === 'failed') return 'failed';
  if (!isIdle) return 'waiting';
  return kind === 'job' && Number(ExecMainStartTimestampMonotonic) > 0 ? 'completed' : 'stopped';
}

function reasonIn(facts: Facts | undefined, state: StateName): string | null {
  if (facts === undefined) return 'systemd does not answer';
  const { LoadState, Result = '', ExecMainStatus = '0', ActiveState } = facts;
  if (LoadState === 'not-found') return 'systemd has no such unit any more';
  if (state === 'waiting') return 'started when its time or a connection comes';
  if (ActiveState !== 'failed' && state !== 'backoff') return null;
  const how: Readonly<Record<string, string>> = {
    'exit-code': `exit code ${ExecMainStatus}`,
    signal: `killed by signal ${ExecMainStatus}`,
    'core-dump': `killed by signal ${ExecMainStatus}, with a core dump`,
    timeout: 'it took too long',
    watchdog: 'its watchdog was not fed',
    'oom-kill': 'the kernel killed it for its memory',
    'start-limit-hit': 'too many restarts',
  };
  return how[Result] ?? Result;
}

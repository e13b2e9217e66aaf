/**
 * What is shown of an app, made from what is known of it and a look at /proc: the same for the daemon's answer and for the files alone.
 */
import { isoTime, monotonicMs, wallMs } from '../host/clock.ts';
import type { Model, Role, State } from '../lifecycle/state.ts';
import { durationInWords, reasonInWords } from '../lifecycle/words.ts';
import type { AppView, InstanceView, StateName, TerminalView } from '../protocol/api.ts';
import type { AppSpec } from '../protocol/spec.ts';
import type { StoredState } from '../storage/apps.ts';
import type { Usage } from './usage.ts';

export interface Seen {
  readonly index: number;
  readonly role: Role;
  readonly model: Model;
  readonly sinceWall: number;
  readonly pid: number | null;
  readonly status?: string | null;
  /** Null: it has none, or nobody told of it. */
  readonly terminal?: TerminalView | null;
  /** Null when nobody looked or nothing runs. */
  readonly usage: Usage | null;
}

/** An app shows the first of these that one of its instances has. */
const severity: readonly StateName[] = [
  'stuck',
  'failed',
  'backoff',
  'waiting',
  'starting',
  'stopping',
  'running',
  'completed',
  'stopped',
];

export function appView(
  spec: AppSpec,
  state: Pick<StoredState, 'id' | 'want' | 'createdAt' | 'rollout' | 'keeper'>,
  instances: readonly Seen[],
  nextRun: number | null = null,
): AppView {
  const views = instances.map(instanceView);
  const mains = views.filter(({ role }) => role === undefined);
  const worst = (mains.length > 0 ? mains : views).toSorted(
    (a, b) => severity.indexOf(a.state) - severity.indexOf(b.state),
  )[0]!;
  return {
    id: state.id,
    name: spec.name,
    kind: spec.kind,
    group: spec.group,
    want: state.want,
    state: worst.state,
    reason: withNextRun(worst, nextRun),
    instances: views,
    ports: [...new Set(instances.flatMap(({ usage }) => usage?.ports ?? []))],
    createdAt: state.createdAt,
    file: spec.origin,
    nextRun: nextRun === null ? null : isoTime(nextRun),
    keeper: state.keeper ?? null,
    reload: reloadOf(state.rollout),
  };
}

function reloadOf(rollout: StoredState['rollout']): NonNullable<AppView['reload']> | null {
  if (rollout === null) return null;
  const { pending, done, canary, isAborted } = rollout;
  return {
    phase: isAborted ? 'aborting' : canary === null ? 'rolling' : 'paused',
    done: done.length,
    of: done.length + pending.length,
  };
}

const hasProcess = (state: State): boolean =>
  ['running', 'stopping', 'stuck'].includes(state.name) || (state.name === 'starting' && state.isLaunched);

/** What waits for its time says when that is. */
function withNextRun({ state, reason }: InstanceView, nextRun: number | null): string | null {
  if (state !== 'waiting' || nextRun === null) return reason;
  const next = `next run in ${durationInWords(Math.max(0, nextRun - wallMs()))}`;
  return reason === null ? next : `${next}; ${reason}`;
}

/** Since when, by today's clock: a clock that was set meanwhile shall not make a program older or younger. */
const since = (state: State, sinceWall: number): number =>
  'since' in state ? wallMs() - Math.max(0, monotonicMs() - state.since) : Math.min(sinceWall, wallMs());

/** It is up, and waits in a write. */
const stuckInWords = (code: string): string =>
  `what it prints waits: its log takes nothing (${code}${code === 'ENOSPC' ? ': the disk is full, see df -h' : ''})`;

function instanceView({
  index,
  role,
  model,
  sinceWall,
  pid,
  status = null,
  usage,
  terminal = null,
}: Seen): InstanceView {
  const { state } = model;
  return {
    index,
    state: state.name,
    ready: state.name === 'running',
    pid: hasProcess(state) ? pid : null,
    since: isoTime(since(state, sinceWall)),
    restarts: model.restarts,
    memory: usage?.memory ?? null,
    cpu: usage?.cpu ?? null,
    reason: reasonInWords(model, monotonicMs()) ?? (terminal?.problem ? stuckInWords(terminal.problem) : null),
    status,
    ...(role !== 'main' && { role }),
    ...(terminal !== null && { terminal }),
  };
}

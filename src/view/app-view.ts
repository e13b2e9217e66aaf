/**
 * What is shown of an app, made from what is known of it and a look at /proc: the same for the daemon's answer and for the files alone.
 */
import { isoTime, monotonicMs, wallMs } from '../host/clock.ts';
import type { Model, State } from '../lifecycle/state.ts';
import { durationInWords, reasonInWords } from '../lifecycle/words.ts';
import type { AppView, InstanceView, StateName } from '../protocol/api.ts';
import type { AppSpec } from '../protocol/spec.ts';
import type { StoredState } from '../storage/apps.ts';
import type { Usage } from './usage.ts';

export interface Seen {
  readonly index: number;
  readonly model: Model;
  readonly sinceWall: number;
  readonly pid: number | null;
  readonly status?: string | null;
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
  state: Pick<StoredState, 'id' | 'want' | 'createdAt'>,
  instances: readonly Seen[],
  nextRun: number | null = null,
): AppView {
  const views = instances.map(instanceView);
  const worst = views.toSorted((a, b) => severity.indexOf(a.state) - severity.indexOf(b.state))[0]!;
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
    nextRun: nextRun === null ? null : isoTime(nextRun),
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

function instanceView({ index, model, sinceWall, pid, status = null, usage }: Seen): InstanceView {
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
    reason: reasonInWords(model, monotonicMs()),
    status,
  };
}

/**
 * What the runner does when something happens. Pure: no clock, no process. A change asks for a start; a gate, if there is one, has to pass before anything that runs
 * is ended; what comes while something is under way is merged into it, so that one start follows, with the last state of the files.
 */
import { signalNumber } from '../host/signals.ts';
import type { BusyPolicy } from './settings.ts';

export interface Change {
  /** The first that changed, from the runner's directory. */
  readonly paths: readonly string[];
  readonly count: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** It ran long enough that earlier crashes are forgotten. */
  readonly isStable: boolean;
  /** The shell found no such command, at the first start. */
  readonly isMissing: boolean;
}

export type Phase =
  /** Nothing runs, but what an ended program may have left. */
  | { readonly name: 'resting' }
  | { readonly name: 'running' }
  | { readonly name: 'backoff' }
  | { readonly name: 'stopping'; readonly next: 'start' }
  | { readonly name: 'stopping'; readonly next: 'end'; readonly code: number }
  | { readonly name: 'ended' };

export interface Model {
  readonly phase: Phase;
  /** `stale`: something changed since the gate was begun. */
  readonly gate: 'closed' | 'open' | 'stale';
  /** A start is due as soon as one is possible. */
  readonly isDue: boolean;
  /** What it is for; null: somebody asked for it, or it is the first one. */
  readonly change: Change | null;
  readonly crashes: number;
}

export interface Policy {
  readonly hasGate: boolean;
  readonly onBusy: BusyPolicy;
  readonly endsOnCrash: boolean;
  readonly restartsOnCrash: boolean;
}

export type Event =
  | { readonly type: 'begin' }
  | { readonly type: 'changed'; readonly change: Change }
  | { readonly type: 'asked' }
  | { readonly type: 'exited'; readonly ended: Ended }
  | { readonly type: 'emptied' }
  | { readonly type: 'gatePassed' | 'gateFailed' }
  | { readonly type: 'rested' }
  | { readonly type: 'endAsked'; readonly code: number };

export type Effect =
  | { readonly do: 'start' | 'openGate' | 'closeGate' | 'kill' | 'signal' }
  /** `emptied` follows when nothing of the run is left. */
  | { readonly do: 'stop'; readonly for: 'start' | 'end' }
  | { readonly do: 'rest'; readonly ms: number }
  | { readonly do: 'tellExit'; readonly ended: Ended; readonly next: 'wait' | 'end' | number }
  | { readonly do: 'tellRestart'; readonly change: Change | null; readonly isRunning: boolean }
  | { readonly do: 'tellGate'; readonly change: Change | null }
  | { readonly do: 'tellBusy'; readonly change: Change; readonly policy: BusyPolicy }
  | { readonly do: 'tellGateFailed'; readonly isRunning: boolean }
  | { readonly do: 'end'; readonly code: number };

export interface Step {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export const firstModel: Model = { phase: { name: 'resting' }, gate: 'closed', isDue: false, change: null, crashes: 0 };

const backoffMs = [500, 1000, 2000, 4000, 8000, 15_000];

export function step(model: Model, event: Event, policy: Policy): Step {
  if (model.phase.name === 'ended') return { model, effects: [] };
  switch (event.type) {
    case 'begin':
      return policy.hasGate ? openGate(model, null) : start(model);
    case 'changed':
      return changed(model, event.change, policy);
    case 'asked':
      return want(model, null, policy);
    case 'exited':
      return exited(model, event.ended, policy);
    case 'emptied':
      return emptied(model, policy);
    case 'gatePassed':
    case 'gateFailed':
      return gateEnded(model, event.type === 'gatePassed');
    case 'rested':
      return model.phase.name === 'backoff' ? stop(model, 'start') : { model, effects: [] };
    case 'endAsked':
      return endAsked(model, event.code);
  }
}

function changed(model: Model, change: Change, policy: Policy): Step {
  const { onBusy } = policy;
  if (model.phase.name !== 'running' || onBusy === 'restart') return want(model, change, policy);
  const told: Effect = { do: 'tellBusy', change, policy: onBusy };
  if (onBusy === 'signal') return { model, effects: [told, { do: 'signal' }] };
  const isDue = onBusy === 'queue';
  return { model: { ...model, isDue: model.isDue || isDue, change: merged(model.change, change) }, effects: [told] };
}

/** A start is wanted. */
function want(model: Model, change: Change | null, policy: Policy): Step {
  const { phase, gate } = model;
  if (gate !== 'closed')
    return { model: { ...model, gate: 'stale', change: merged(model.change, change) }, effects: [] };
  if (phase.name === 'stopping') {
    if (phase.next === 'end' || !policy.hasGate) return { model, effects: [] };
    // What ran is ended already, so what was built runs first: the gate is for the start after it.
    return { model: { ...model, isDue: true, change }, effects: [] };
  }
  if (policy.hasGate) return openGate(model, change);
  return restart({ ...model, change });
}

/** Those of both, each once. */
function merged(before: Change | null, change: Change | null): Change | null {
  if (before === null || change === null) return change ?? before;
  const paths = [...new Set([...before.paths, ...change.paths])];
  const twice = before.paths.length + change.paths.length - paths.length;
  return { paths, count: before.count + change.count - twice };
}

function openGate(model: Model, change: Change | null): Step {
  return {
    model: { ...model, gate: 'open', isDue: false, change },
    effects: [{ do: 'tellGate', change }, { do: 'openGate' }],
  };
}

function gateEnded(model: Model, hasPassed: boolean): Step {
  if (model.gate === 'closed') return { model, effects: [] };
  if (model.gate === 'stale') return openGate(model, model.change);
  const closed: Model = { ...model, gate: 'closed' };
  if (hasPassed) return restart(closed);
  const isRunning = model.phase.name === 'running';
  return { model: { ...closed, change: null }, effects: [{ do: 'tellGateFailed', isRunning }] };
}

function restart(model: Model): Step {
  const told: Effect = { do: 'tellRestart', change: model.change, isRunning: model.phase.name === 'running' };
  const { model: next, effects } = stop(model, 'start');
  return { model: next, effects: [told, ...effects] };
}

function stop(model: Model, next: 'start'): Step {
  return {
    model: { ...model, phase: { name: 'stopping', next }, isDue: false, change: null },
    effects: [{ do: 'stop', for: next }],
  };
}

const start = (model: Model): Step => ({
  model: { ...model, phase: { name: 'running' } },
  effects: [{ do: 'start' }],
});

function emptied(model: Model, policy: Policy): Step {
  const { phase } = model;
  if (phase.name !== 'stopping') return { model, effects: [] };
  if (phase.next === 'end') return finish(model, phase.code);
  const started = start(model);
  if (!model.isDue) return started;
  const { model: next, effects } = want({ ...started.model, isDue: false }, model.change, policy);
  return { model: next, effects: [...started.effects, ...effects] };
}

function exited(model: Model, ended: Ended, policy: Policy): Step {
  if (model.phase.name !== 'running') return { model, effects: [] };
  const isClean = ended.code === 0;
  const crashes = isClean ? 0 : ended.isStable ? 1 : model.crashes + 1;
  const resting: Model = { ...model, phase: { name: 'resting' }, crashes };
  const code = exitCodeOf(ended);
  if ((!isClean && policy.endsOnCrash) || ended.isMissing) {
    return {
      model: { ...resting, phase: { name: 'stopping', next: 'end', code } },
      effects: [
        { do: 'tellExit', ended, next: 'end' },
        { do: 'stop', for: 'end' },
      ],
    };
  }
  if (model.isDue) {
    const next = want({ ...resting, isDue: false }, model.change, policy);
    return { model: next.model, effects: [{ do: 'tellExit', ended, next: 'wait' }, ...next.effects] };
  }
  if (isClean || !policy.restartsOnCrash) return { model: resting, effects: [{ do: 'tellExit', ended, next: 'wait' }] };
  const ms = backoffMs[Math.min(crashes, backoffMs.length) - 1]!;
  return {
    model: { ...resting, phase: { name: 'backoff' } },
    effects: [
      { do: 'tellExit', ended, next: ms },
      { do: 'rest', ms },
    ],
  };
}

/** The second time it is killed. */
function endAsked(model: Model, code: number): Step {
  const { phase } = model;
  if (phase.name === 'stopping' && phase.next === 'end') return { model, effects: [{ do: 'kill' }] };
  const closing: readonly Effect[] = model.gate === 'closed' ? [] : [{ do: 'closeGate' }];
  return {
    model: { ...model, gate: 'closed', isDue: false, phase: { name: 'stopping', next: 'end', code } },
    effects: [...closing, { do: 'stop', for: 'end' }],
  };
}

function finish(model: Model, code: number): Step {
  return { model: { ...model, phase: { name: 'ended' } }, effects: [{ do: 'end', code }] };
}

/** As a shell says it. */
export const exitCodeOf = ({ code, signal }: Pick<Ended, 'code' | 'signal'>): number =>
  code ?? 128 + (signalNumber(signal ?? '') ?? 0);

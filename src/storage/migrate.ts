/**
 * Files of earlier formats → the present one, step by step. Pure; the caller keeps the file that it was as the previous generation. A value that isn't
 * as its format says is returned as it is: what is wrong with it is found afterwards.
 *
 * Format 2 (0.2): options as they were said, readiness, schedules, dependencies, limits; waits and causes in states.
 * Format 3 of states: several instances, and two runs of one during a reload.
 */
import { settle, settleLog, settleShare, settleTerminal, settleWatch } from '../config/settle.ts';
import { newModel } from '../lifecycle/state.ts';
import type { SpecOptions } from '../protocol/spec.ts';

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A `spec.json` of any format up to the present one, in the present one. */
export function migrateSpec(value: unknown): unknown {
  if (!isFields(value)) return value;
  if (value.format === 1) return specFrom1(value);
  if (value.format !== 2 || !isFields(value.options)) return value;
  return withAdded(value, value.options as SpecOptions);
}

/** Format 2 had no word on logs at first, nor on what instances share, nor on terminals and watching. */
function withAdded(spec: Fields, options: SpecOptions): Fields {
  try {
    return {
      ...spec,
      ...(spec.log === undefined && { log: settleLog(options) }),
      ...(spec.share === undefined && { share: settleShare(options) }),
      ...(spec.tty === undefined && { tty: settleTerminal(options), stdin: options.stdin ?? false }),
      ...(spec.watch === undefined && { watch: settleWatch(options) }),
    };
  } catch {
    return spec;
  }
}

/** A `state.json` of any format up to the present one, in the present one. */
export function migrateState(value: unknown): unknown {
  if (!isFields(value) || !Array.isArray(value.instances)) return value;
  if (value.format === 1) return stateFrom2(stateFrom1(value));
  return value.format === 2 ? stateFrom2(value) : value;
}

function specFrom1(old: Fields): unknown {
  const { umask, limits, nice, oomScoreAdj } = old;
  const inherited = { umask, limits, nice, oomScoreAdj } as never;
  const kind = old.kind === 'job' ? 'job' : 'app';
  const options = optionsFrom1(old, kind);
  try {
    const settled = settle(options, { kind, inherited });
    const { stopSignal: _stopSignal, ...kept } = old;
    const { stopExitCodes, stopSignals } = settled;
    return {
      ...settled,
      groups: null,
      envFiles: [],
      origin: null,
      ...kept,
      stopExitCodes,
      stopSignals,
      format: 2,
      options,
      inherited,
    };
  } catch {
    return old;
  }
}

/** What differed from the defaults of format 1. */
function optionsFrom1(old: Fields, kind: 'app' | 'job'): SpecOptions {
  const user = isFields(old.user) ? old.user.name : undefined;
  const said: Fields = {
    group: old.group ?? undefined,
    user,
    noNewPrivs: old.noNewPrivs || undefined,
    restart: old.restart === (kind === 'app' ? 'always' : 'no') ? undefined : old.restart,
    stopExitCodes:
      Array.isArray(old.stopExitCodes) && old.stopExitCodes.length > 0 ? old.stopExitCodes.map(String) : undefined,
    maxRestarts: old.maxRestarts ?? undefined,
    stableAfterMs: old.stableAfterMs === 10_000 ? undefined : old.stableAfterMs,
    stopSignal: old.stopSignal === 'SIGTERM' ? undefined : old.stopSignal,
    stopTimeoutMs: old.stopTimeoutMs === 10_000 ? undefined : old.stopTimeoutMs,
    keepTree: old.keepTree || undefined,
    leaveTimeoutMs: old.leaveTimeoutMs === 10_000 ? undefined : old.leaveTimeoutMs,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as SpecOptions;
}

function stateFrom1(old: Fields): Fields {
  const instances = (old.instances as unknown[]).map((instance) => {
    if (!isFields(instance) || !isFields(instance.model) || !isFields(instance.model.state)) return instance;
    const { model } = instance;
    return { ...instance, model: { ...newModel, ...model, state: automatonFrom1(model.state as Fields) } };
  });
  return { ...old, format: 2, instances };
}

function stateFrom2(old: Fields): Fields {
  const instances = (old.instances as unknown[]).map((instance) => {
    if (!isFields(instance) || !isFields(instance.model) || !isFields(instance.model.state)) return instance;
    const { model } = instance;
    const state = model.state as Fields;
    const whole = state.name === 'stopping' ? { ...state, drains: false } : state;
    return { ...instance, role: 'main', lane: 0, model: { ...model, state: whole } };
  });
  return { ...old, format: 3, instances, rollout: null };
}

/** Fields that the states of format 1 did not have. */
const added: Readonly<Record<string, Fields>> = {
  failed: { until: null, isLate: false },
  starting: { by: 'daemon', isLaunched: false, deadline: null },
  running: { until: null },
  stopping: { step: 0, cause: null },
  stuck: { cause: null },
};

const automatonFrom1 = (state: Fields): Fields => ({ ...state, ...added[String(state.name)] });

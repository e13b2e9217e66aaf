/**
 * Files of earlier formats → the present one, step by step. Pure; the caller keeps the file that it was as the previous generation. A value that isn't
 * as its format says is returned as it is: what is wrong with it is found afterwards.
 *
 * Format 2 (0.2): options as they were said, readiness, schedules, dependencies, limits; waits and causes in states.
 */
import { settle, settleLog } from '../config/settle.ts';
import { newModel } from '../lifecycle/state.ts';
import type { SpecOptions } from '../protocol/spec.ts';

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A `spec.json` of any format up to the present one, in the present one. */
export function migrateSpec(value: unknown): unknown {
  if (!isFields(value)) return value;
  if (value.format === 1) return specFrom1(value);
  return value.format === 2 && value.log === undefined && isFields(value.options) ? withLog(value) : value;
}

/** Format 2 had no word on logs at first. */
function withLog(spec: Fields): Fields {
  try {
    return { ...spec, log: settleLog(spec.options as SpecOptions) };
  } catch {
    return spec;
  }
}

/** A `state.json` of any format up to the present one, in the present one. */
export function migrateState(value: unknown): unknown {
  return isFields(value) && value.format === 1 && Array.isArray(value.instances) ? stateFrom1(value) : value;
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

function stateFrom1(old: Fields): unknown {
  const instances = (old.instances as unknown[]).map((instance) => {
    if (!isFields(instance) || !isFields(instance.model) || !isFields(instance.model.state)) return instance;
    const { model } = instance;
    return { ...instance, model: { ...newModel, ...model, state: automatonFrom1(model.state as Fields) } };
  });
  return { ...old, format: 2, instances };
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

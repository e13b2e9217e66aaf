import { bootId, isoTime, wallMs } from '../host/clock.ts';
import { type Model, newModel } from '../lifecycle/state.ts';
import { type StoredInstance, type StoredState, stateFormat } from './apps.ts';

/** An instance that has never run. */
export const newInstance = (index: number): StoredInstance<Model> => ({
  index,
  role: 'main',
  lane: 0,
  model: newModel,
  sinceWall: wallMs(),
});

/** The state of an app that was just asked for. */
export function newState(id: number, by: string, instances = 1): StoredState<Model> {
  const now = wallMs();
  return {
    format: stateFormat,
    id,
    want: 'running',
    by,
    createdAt: isoTime(now),
    bootId: bootId(),
    instances: Array.from({ length: instances }, (_, index) => newInstance(index)),
    rollout: null,
  };
}

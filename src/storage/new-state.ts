import { bootId, isoTime, wallMs } from '../host/clock.ts';
import { type Model, newModel } from '../lifecycle/state.ts';
import { type StoredState, stateFormat } from './apps.ts';

/** The state of an app that was just asked for. */
export function newState(id: number, by: string): StoredState<Model> {
  const now = wallMs();
  return {
    format: stateFormat,
    id,
    want: 'running',
    by,
    createdAt: isoTime(now),
    bootId: bootId(),
    instances: [{ index: 0, model: newModel, sinceWall: now }],
  };
}

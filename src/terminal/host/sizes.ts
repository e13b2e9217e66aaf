/** Which size a session has. */
import type { ResizePolicy } from '../control-messages.ts';
import type { Size } from '../frames-messages.ts';

export interface Viewer {
  readonly size: Size;
  /** Grows with each thing that its user does. */
  readonly activity: number;
}

/** By a policy, of those whose sizes count; null: it stays as it is. */
export function chooseSize(policy: ResizePolicy, viewers: readonly Viewer[]): Size | null {
  if (policy === 'manual' || viewers.length === 0) return null;
  if (policy === 'latest') return latestOf(viewers).size;
  const side = policy === 'smallest' ? Math.min : Math.max;
  return {
    cols: side(...viewers.map(({ size }) => size.cols)),
    rows: side(...viewers.map(({ size }) => size.rows)),
  };
}

export const isSameSize = (a: Size, b: Size): boolean => a.cols === b.cols && a.rows === b.rows;

/** Of at least one. */
export const latestOf = <T extends Viewer>(viewers: readonly T[]): T =>
  viewers.reduce((latest, viewer) => (viewer.activity > latest.activity ? viewer : latest));

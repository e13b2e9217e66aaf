/**
 * The first look at a fresh run: for 300 ms after its program is there, or until it listens. A program that ends meanwhile is reported with its
 * exit code and its last lines.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../host/clock.ts';
import { reasonInWords } from '../lifecycle/words.ts';
import { excerptFrom, linesFrom } from '../logs/excerpt.ts';
import type { SocketView, StartedApp } from '../protocol/api.ts';
import { takenPort } from '../view/taken-port.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';
import { heldFor } from './sharing/who-has.ts';
import { listeningOf } from './view.ts';

const lookMs = 300;
/** Between two looks at its sockets: nothing tells of a `listen`. */
const tickMs = 20;
/** With more than so many looks under way each is taken less often: the daemon has others to serve. */
const manyLooks = 20;
let looks = 0;
const searchedLines = 200;

export interface FirstLook {
  readonly early: StartedApp['early'];
  readonly sockets: readonly SocketView[];
  readonly notes: readonly string[];
}

export async function firstLook(instance: Instance, run: number, signal: AbortSignal): Promise<FirstLook> {
  const isOver = () => instance.lastExit?.run === run || instance.model.run !== run || instance.app.isForgotten;
  await instance.until(({ model }) => isOver() || model.state.name !== 'starting', signal);
  const until = monotonicMs() + lookMs;
  looks += 1;
  try {
    while (!isOver() && instance.model.state.name === 'running' && monotonicMs() < until) {
      const sockets = listeningOf(instance);
      if (sockets.length > 0) return { early: null, sockets, notes: backgroundNotes(instance) };
      const pause = Math.min(lookMs, Math.ceil((tickMs * Math.max(manyLooks, looks)) / manyLooks));
      await Promise.race([sleep(pause), instance.until(isOver, AbortSignal.timeout(pause)).catch(() => {})]);
    }
  } finally {
    looks -= 1;
  }
  if (instance.lastExit?.run !== run) return { early: null, sockets: [], notes: backgroundNotes(instance) };
  // Its schedule, or somebody's stop or restart: no fault of its own.
  const { name } = instance.model.state;
  if ((instance.lastExit.cause ?? null) !== null && name !== 'failed' && name !== 'backoff')
    return { early: null, sockets: [], notes: [] };
  return { early: earlyEnd(instance), sockets: [], notes: portNotes(instance) };
}

/** It ended after the look at it, and its siblings do not start because of that; null if it did not. */
export function laterEnd(instance: Instance): FirstLook | null {
  if (instance.model.state.name !== 'backoff' || instance.lastExit === null) return null;
  return { early: earlyEnd(instance), sockets: [], notes: portNotes(instance) };
}

function backgroundNotes({ wentBackground, program }: Instance): string[] {
  if (!wentBackground) return [];
  return [
    `it put itself in the background; pid ${program?.pid} is supervised from now on, but its exit code will be unknown. Better keep it in front (nginx -g 'daemon off;')`,
  ];
}

/** Who holds the port that it complains of. */
function portNotes(instance: Instance): string[] {
  const { err } = logPlacesOf(instance);
  const text = linesFrom(err, instance.endedLogStart.err, searchedLines).join('\n');
  const taken = takenPort(text, (port) => {
    const other = heldFor(instance.app, `tcp:*:${port}`);
    return other === null ? null : `stead for "${other.name}"`;
  });
  return taken === null ? [] : [taken];
}

function earlyEnd(instance: Instance): StartedApp['early'] {
  const { out, err } = logPlacesOf(instance);
  const fromErr = excerptFrom(err, instance.endedLogStart.err);
  const fromOut = excerptFrom(out, instance.endedLogStart.out);
  return { exit: instance.lastExit!, lastLines: fromErr.length > 0 ? fromErr : fromOut, next: nextInWords(instance) };
}

function nextInWords(instance: Instance): string {
  const { model } = instance;
  switch (model.state.name) {
    case 'starting':
    case 'running':
      return 'it was started again';
    case 'backoff':
      return reasonInWords(model, monotonicMs())!;
    case 'stopping':
      return 'what it left running is ended first';
    case 'completed':
      return 'it is not started again: it completed';
    default:
      return `it is not started again${model.state.name === 'failed' ? `: ${model.state.reason}` : ''}`;
  }
}

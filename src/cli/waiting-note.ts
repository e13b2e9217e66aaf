/** One line about what a stop waits for: without it a script's log is silent until SIGKILL. A terminal shows progress instead. */
import { request } from '../client/http.ts';
import { escapeControls } from '../host/bytes.ts';
import { stopSteps } from '../lifecycle/stop-steps.ts';
import type { AppDetail } from '../protocol/api.ts';
import { selectApps } from '../protocol/select.ts';
import { isTerminal, say } from './output.ts';

/** Programs that end well do so sooner. */
const noteAfterMs = 1000;
/** Of more apps than these only the number is told. */
const mostNames = 5;

/** Awaits work that may stop apps; if it takes long, says on stderr what it waits for, and when SIGKILL comes. */
export async function withWaitingNote<T>(home: string, select: readonly string[], work: Promise<T>): Promise<T> {
  if (isTerminal(2)) return work;
  const over = new AbortController();
  // What can't be asked is not said: the work itself fails if something is wrong.
  const timer = setTimeout(() => void sayWaiting(home, select, over.signal).catch(() => {}), noteAfterMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

async function sayWaiting(home: string, select: readonly string[], signal: AbortSignal): Promise<void> {
  const apps = selectApps(await request(home, 'list', { signal }), select);
  const stopping = apps.filter(({ state }) => state === 'stopping').map(({ name }) => name);
  const named = stopping.length > mostNames ? [] : stopping;
  const details = await Promise.all(named.map((sel) => request(home, 'show', { params: { sel }, signal })));
  if (stopping.length > 0 && !signal.aborted) say(waitingNote(stopping, details, Date.now()));
}

/** `Waiting for web to end; KILL in 9 s`. */
export function waitingNote(
  names: readonly string[],
  details: readonly Pick<AppDetail, 'spec' | 'instances'>[],
  nowMs: number,
): string {
  const kills = details.map((detail) => killInMs(detail, nowMs)).filter((ms) => ms !== null);
  const who = details.length === 0 ? `${names.length} apps` : names.map(escapeControls).join(', ');
  const most = names.length > 1 ? 'at most ' : '';
  const kill = kills.length === 0 ? '' : `; KILL in ${most}${Math.max(0, Math.ceil(Math.max(...kills) / 1000))} s`;
  return `Waiting for ${who} to end${kill}`;
}

/** How long its stop sequence goes on; null if it is not known since when. */
function killInMs({ spec, instances }: Pick<AppDetail, 'spec' | 'instances'>, nowMs: number): number | null {
  const since = instances.find(({ state }) => state === 'stopping')?.since ?? null;
  const lastsMs = stopSteps(spec).reduce((sum, { waitMs }) => sum + waitMs, 0);
  return since === null ? null : Date.parse(since) + lastsMs - nowMs;
}

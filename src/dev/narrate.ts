/** Tells what `step` has decided: in words, and to the commands for events. */
import { resolve } from 'node:path';
import type { Hooks } from './hooks.ts';
import type { Exit } from './run.ts';
import type { BusyPolicy, Settings } from './settings.ts';
import type { Effect } from './step.ts';
import { changeWords, endWords, exitWords, type Teller } from './words.ts';

export type Told = Extract<Effect, { readonly do: `tell${string}` }>;

export interface Narration {
  readonly settings: Settings;
  readonly teller: Teller;
  readonly hooks: Hooks;
  /** As a person would type it. */
  readonly program: string;
  /** How the last gate ended. */
  readonly gate: Exit | null;
}

export function narrate(told: Told, narration: Narration): void {
  const { teller, settings } = narration;
  switch (told.do) {
    case 'tellExit':
      tellExit(told, narration);
      break;
    case 'tellRestart':
      tellRestart(told, narration);
      break;
    case 'tellGate':
      teller.say(`${told.change === null ? '' : `${changeWords(told.change)}: `}${settings.before}`);
      break;
    case 'tellGateFailed': {
      const how = endWords(narration.gate ?? { code: null, signal: null });
      const what = told.isRunning ? 'the program goes on as it is' : 'waiting for a change';
      teller.warn(`${settings.before} failed (${how}): ${what}`);
      break;
    }
    case 'tellBusy':
      teller.say(`${changeWords(told.change)}: ${busyWords[told.policy](settings)}`);
      break;
  }
}

function tellExit({ ended, next }: Extract<Told, { do: 'tellExit' }>, { teller, hooks, program }: Narration): void {
  const isClean = ended.code === 0;
  if (isClean) teller.say(exitWords(ended, next));
  else teller.warn(ended.isMissing ? `no such command: ${program}` : exitWords(ended, next));
  hooks.fire(isClean ? 'exit' : 'crash');
}

function tellRestart(
  { change, isRunning }: Extract<Told, { do: 'tellRestart' }>,
  { teller, hooks, settings }: Narration,
): void {
  if (change === null && !isRunning) return;
  teller.say(`${isRunning ? 'restarting' : 'starting'}: ${change === null ? 'asked for' : changeWords(change)}`);
  hooks.fire('restart', change?.paths[0] === undefined ? '' : resolve(settings.cwd, change.paths[0]));
}

const busyWords: Readonly<Record<BusyPolicy, (settings: Settings) => string>> = {
  restart: () => '',
  queue: () => 'starts again when it has ended',
  signal: ({ signal }) => `${signal} sent`,
  ignore: () => 'ignored while it runs',
};

/** Every state × event cell: the state that follows and the effects, in order. A cell that is not named stays as it is and does nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppSpec } from '../protocol/spec.ts';
import type { Effect, Event, Model, State } from './state.ts';
import { step } from './step.ts';

const spec = {
  kind: 'app',
  restart: 'always',
  stopExitCodes: [],
  maxRestarts: null,
  stableAfterMs: 10_000,
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 10_000,
  keepTree: false,
  leaveTimeoutMs: 10_000,
} as unknown as AppSpec;
const now = 50_000;
const run = 4;
const exit = { run, code: 1, signal: null, ambiguous: false, upMs: 50 };
const asked = {
  name: 'stopping',
  run,
  phase: 'asked',
  goal: 'stay',
  exit: null,
  treeIsEmpty: false,
  killed: false,
} as const;

const states = {
  stopped: { name: 'stopped', reason: '' },
  completed: { name: 'completed', reason: '' },
  failed: { name: 'failed', reason: '' },
  backoff: { name: 'backoff', until: now, reason: '' },
  starting: { name: 'starting', run, since: 0 },
  running: { name: 'running', run, since: 0 },
  asked: { ...asked, deadline: now },
  'asked, tree empty': { ...asked, deadline: now + 1, treeIsEmpty: true },
  'asked, end known': { ...asked, deadline: now + 1, exit },
  'asked, to delete': { ...asked, deadline: now, goal: 'delete' },
  killing: { ...asked, phase: 'killing', deadline: now, killed: true },
  leaving: { ...asked, phase: 'leaving', deadline: now, goal: 'policy', exit },
  stuck: { name: 'stuck', run, goal: 'stay', exit, pids: [7] },
  'stuck, to delete': { name: 'stuck', run, goal: 'delete', exit, pids: [7] },
} as const satisfies Record<string, State>;

const events = {
  start: { type: 'start' },
  stop: { type: 'stop', goal: 'stay' },
  delete: { type: 'stop', goal: 'delete' },
  restart: { type: 'restart' },
  reset: { type: 'reset' },
  launched: { type: 'launched', run },
  launchFailed: { type: 'launchFailed', run, reason: 'no', retry: false },
  noResources: { type: 'launchFailed', run, reason: 'no', retry: true },
  exited: { type: 'exited', exit },
  treeEmptied: { type: 'treeEmptied', run },
  treeAlive: { type: 'treeAlive', run, pids: [7, 8] },
  due: { type: 'due' },
} as const satisfies Record<string, Event>;

type Row = Partial<Record<keyof typeof events, string>>;
const rest: Row = { start: 'starting: - launch', restart: 'starting: - launch', delete: 'stopped: - forget' };
const neverRan: Row = { launchFailed: 'stopped: -', noResources: 'stopped: -' };
const nextGoal = (state: string): Row => ({
  start: `${state}start:`,
  restart: `${state}start:`,
  delete: `${state}delete:`,
});

const expected: Record<keyof typeof states, Row> = {
  stopped: rest,
  completed: rest,
  failed: { ...rest, stop: 'stopped:', reset: 'stopped:' },
  backoff: { ...rest, stop: 'stopped: -', due: 'starting: - launch' },
  starting: {
    stop: 'stopping asked/stay: fence +10000',
    delete: 'stopping asked/delete: fence +10000',
    restart: 'stopping asked/start: fence +10000',
    launched: 'running:',
    launchFailed: 'failed: -',
    noResources: 'backoff: +100',
    exited: 'stopping asked/policy: signal +10000',
  },
  running: {
    stop: 'stopping asked/stay: signal +10000',
    delete: 'stopping asked/delete: signal +10000',
    restart: 'stopping asked/start: signal +10000',
    exited: 'stopping asked/policy: signal +10000',
  },
  asked: {
    ...nextGoal('stopping asked/'),
    ...neverRan,
    launched: 'stopping asked/stay: signal',
    exited: 'stopping asked/stay:',
    treeEmptied: 'stopping asked/stay:',
    due: 'stopping killing/stay: kill +2000',
  },
  'asked, tree empty': {
    ...nextGoal('stopping asked/'),
    ...neverRan,
    launched: 'stopping asked/stay: signal',
    exited: 'stopped: -',
    due: 'stopping asked/stay: +1',
  },
  'asked, end known': {
    ...nextGoal('stopping asked/'),
    treeEmptied: 'stopped: -',
    due: 'stopping asked/stay: +1',
  },
  // Neither start nor restart nor stop undoes a delete.
  'asked, to delete': {
    launched: 'stopping asked/delete: signal',
    launchFailed: 'stopped: - forget',
    noResources: 'stopped: - forget',
    exited: 'stopping asked/delete:',
    treeEmptied: 'stopping asked/delete:',
    due: 'stopping killing/delete: kill +2000',
  },
  killing: {
    ...nextGoal('stopping killing/'),
    ...neverRan,
    launched: 'stopping killing/stay: signal',
    exited: 'stopping killing/stay:',
    treeEmptied: 'stopping killing/stay:',
    treeAlive: 'stuck stay: +5000',
    due: 'stopping killing/stay: kill survey +2000',
  },
  leaving: {
    start: 'stopping leaving/start:',
    restart: 'stopping leaving/start:',
    stop: 'stopping asked/stay: signal +10000',
    delete: 'stopping asked/delete: signal +10000',
    treeEmptied: 'backoff: +100',
    due: 'stopping asked/policy: signal +10000',
  },
  stuck: {
    start: 'stuck start:',
    restart: 'stuck start:',
    stop: 'stopping killing/stay: kill +2000',
    delete: 'stopping killing/delete: kill +2000',
    treeEmptied: 'stopped: -',
    treeAlive: 'stuck stay: +5000',
    due: 'stuck stay: kill survey',
  },
  'stuck, to delete': {
    stop: 'stopping killing/delete: kill +2000',
    delete: 'stopping killing/delete: kill +2000',
    treeEmptied: 'stopped: - forget',
    treeAlive: 'stuck delete: +5000',
    due: 'stuck delete: kill survey',
  },
};

const model = (state: State): Model => ({ state, restarts: 2, streak: 1, run });

function effectInWords(effect: Effect): string {
  if (effect.do === 'timer') return effect.at === null ? '-' : `+${effect.at - now}`;
  return effect.do;
}

/** `stopping asked/stay: signal +10000`, or '' for a state that stays as it is without an effect. */
function inWords(before: State, event: Event): string {
  const { model: after, effects } = step(model(before), event, { spec, now, random: 0 });
  const { state } = after;
  if (JSON.stringify(state) === JSON.stringify(before) && effects.length === 0) return '';
  const goal = 'goal' in state ? ` ${state.name === 'stopping' ? `${state.phase}/` : ''}${state.goal}` : '';
  return `${state.name}${goal}: ${effects.map(effectInWords).join(' ')}`.trimEnd();
}

for (const [title, state] of Object.entries(states) as [keyof typeof states, State][]) {
  test(`${title}: what each event makes of it`, () => {
    const names = Object.keys(events) as (keyof typeof events)[];
    const actual = Object.fromEntries(names.map((name) => [name, inWords(state, events[name])]));
    assert.deepEqual(actual, Object.fromEntries(names.map((name) => [name, expected[title][name] ?? ''])));
  });
  test(`${title}: nothing that an earlier run says changes it`, () => {
    const stale: Event[] = [
      { type: 'launched', run: run - 1 },
      { type: 'launchFailed', run: run - 1, reason: 'no', retry: true },
      { type: 'exited', exit: { ...exit, run: run - 1 } },
      { type: 'treeEmptied', run: run - 1 },
      { type: 'treeAlive', run: run - 1, pids: [9] },
    ];
    assert.deepEqual(
      stale.map((event) => inWords(state, event)),
      stale.map(() => ''),
    );
  });
}

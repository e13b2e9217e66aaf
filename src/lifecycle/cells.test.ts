/** Every state × event cell: the state that follows and the effects, in order. A cell that is not named stays as it is and does nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../config/settle.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { type Effect, type Event, type Model, newModel, type State } from './state.ts';
import { step } from './step.ts';

const inherited = { umask: 0, limits: {}, nice: 0, oomScoreAdj: 0 };
const spec = { kind: 'app', ...settle({}, { kind: 'app', inherited }) } as unknown as AppSpec;
const now = 50_000;
const run = 4;
const exit = { run, code: 1, signal: null, ambiguous: false, upMs: 50 };
const asked = {
  name: 'stopping',
  run,
  phase: 'asked',
  drains: false,
  step: 0,
  cause: null,
  goal: 'stay',
  exit: null,
  treeIsEmpty: false,
  killed: false,
} as const;

const states = {
  stopped: { name: 'stopped', reason: '' },
  completed: { name: 'completed', reason: '' },
  failed: { name: 'failed', reason: '', until: null, isLate: false },
  'failed, tried again': { name: 'failed', reason: '', until: now, isLate: false },
  waiting: { name: 'waiting', for: 'turn', reason: 'db', isBlocked: false, by: 'user', isRestart: false },
  'waiting for its time': {
    name: 'waiting',
    for: 'time',
    reason: '',
    isBlocked: false,
    by: 'daemon',
    isRestart: false,
  },
  'waiting for a connection': {
    name: 'waiting',
    for: 'connection',
    reason: '',
    isBlocked: false,
    by: 'daemon',
    isRestart: false,
  },
  backoff: { name: 'backoff', until: now, reason: '' },
  starting: { name: 'starting', run, since: 0, by: 'user', isLaunched: false, deadline: null },
  'starting, launched': { name: 'starting', run, since: 0, by: 'user', isLaunched: true, deadline: now },
  'starting by itself': { name: 'starting', run, since: 0, by: 'daemon', isLaunched: true, deadline: now },
  running: { name: 'running', run, since: 0, until: null },
  'running, timed': { name: 'running', run, since: 0, until: now },
  asked: { ...asked, deadline: now },
  'asked, tree empty': { ...asked, deadline: now + 1, treeIsEmpty: true },
  'asked, end known': { ...asked, deadline: now + 1, exit },
  draining: { ...asked, drains: true, goal: 'retire', deadline: now },
  'asked, to delete': { ...asked, deadline: now, goal: 'delete' },
  killing: { ...asked, phase: 'killing', deadline: now, killed: true },
  leaving: { ...asked, phase: 'leaving', deadline: now, goal: 'policy', exit },
  stuck: { name: 'stuck', run, goal: 'stay', exit, cause: null, pids: [7] },
  'stuck, to delete': { name: 'stuck', run, goal: 'delete', exit, cause: null, pids: [7] },
} as const satisfies Record<string, State>;

const events = {
  start: { type: 'start', by: 'user' },
  stop: { type: 'stop', goal: 'stay' },
  delete: { type: 'stop', goal: 'delete' },
  retire: { type: 'stop', goal: 'retire' },
  restart: { type: 'restart' },
  reset: { type: 'reset' },
  launched: { type: 'launched', run },
  launchFailed: { type: 'launchFailed', run, reason: 'no', retry: false },
  noResources: { type: 'launchFailed', run, reason: 'no', retry: true },
  ready: { type: 'ready', run },
  extend: { type: 'extend', run, ms: 7 },
  unwell: { type: 'unwell', run, reason: 'sick' },
  notAsked: { type: 'notAsked', run },
  turn: { type: 'turn' },
  tick: { type: 'tick', at: 99 },
  connection: { type: 'connection' },
  idle: { type: 'idle', run },
  exited: { type: 'exited', exit },
  treeEmptied: { type: 'treeEmptied', run },
  treeAlive: { type: 'treeAlive', run, pids: [7, 8] },
  due: { type: 'due' },
} as const satisfies Record<string, Event>;

type Row = Partial<Record<keyof typeof events, string>>;
const rest: Row = {
  start: 'starting: - launch',
  restart: 'starting: - launch',
  delete: 'stopped: - forget',
  retire: 'stopped: - retired',
};
const neverRan: Row = { launchFailed: 'stopped: -', noResources: 'stopped: -' };
const up: Row = {
  stop: 'stopping asked/stay: signal +10000',
  delete: 'stopping asked/delete: signal +10000',
  retire: 'stopping asked/retire: drain +30000',
  restart: 'stopping asked/start: signal +10000',
  unwell: 'stopping asked/policy: signal +10000',
  // The time of an app's schedule: it is restarted.
  tick: 'stopping asked/start: signal +10000',
  exited: 'stopping asked/policy: signal +10000',
};
const notReadyYet: Row = {
  ...up,
  tick: '',
  ready: 'running: - watchHealth',
  extend: 'starting: +7',
  launchFailed: 'failed: -',
  noResources: 'backoff: +100',
};
const nextGoal = (state: string): Row => ({
  start: `${state}start:`,
  restart: `${state}start:`,
  delete: `${state}delete:`,
  retire: `${state}retire:`,
});

const expected: Record<keyof typeof states, Row> = {
  stopped: rest,
  completed: rest,
  failed: { ...rest, stop: 'stopped: -', reset: 'stopped: -', tick: 'starting: - launch' },
  'failed, tried again': {
    ...rest,
    stop: 'stopped: -',
    reset: 'stopped: -',
    tick: 'starting: - launch',
    due: 'starting: - launch',
  },
  waiting: { ...rest, stop: 'stopped: -', turn: 'starting: - launch' },
  'waiting for a connection': { ...rest, stop: 'stopped: -', connection: 'starting: - launch' },
  // A start of what has a schedule waits for its time; a restart does not.
  'waiting for its time': { ...rest, start: '', stop: 'stopped: -', tick: 'starting: - launch' },
  backoff: { ...rest, stop: 'stopped: -', due: 'starting: - launch', tick: 'starting: - launch' },
  starting: {
    stop: 'stopping asked/stay: fence +10000',
    delete: 'stopping asked/delete: fence +10000',
    retire: 'stopping asked/retire: fence +10000',
    restart: 'stopping asked/start: fence +10000',
    launched: 'running: - watchHealth',
    unwell: 'stopping asked/policy: fence +10000',
    launchFailed: 'failed: -',
    noResources: 'backoff: +100',
    exited: 'stopping asked/policy: signal +10000',
  },
  'starting, launched': { ...notReadyYet, due: 'stopping asked/policy: signal +10000' },
  'starting by itself': { ...notReadyYet, due: 'stopping asked/policy: signal +10000' },
  running: { ...up, idle: 'stopping asked/await: drain +30000' },
  'running, timed': {
    ...up,
    idle: 'stopping asked/await: drain +30000',
    due: 'stopping asked/policy: signal +10000',
  },
  asked: {
    extend: 'stopping asked/stay: +7',
    ...nextGoal('stopping asked/'),
    ...neverRan,
    launched: 'stopping asked/stay: signal',
    exited: 'stopping asked/stay:',
    treeEmptied: 'stopping asked/stay:',
    due: 'stopping killing/stay: kill +2000',
  },
  'asked, tree empty': {
    extend: 'stopping asked/stay: +7',
    ...nextGoal('stopping asked/'),
    ...neverRan,
    launched: 'stopping asked/stay: signal',
    exited: 'stopped: -',
    due: 'stopping asked/stay: +1',
  },
  'asked, end known': {
    extend: 'stopping asked/stay: +7',
    ...nextGoal('stopping asked/'),
    treeEmptied: 'stopped: -',
    due: 'stopping asked/stay: +1',
  },
  // Nothing undoes it; a stop leaves it no time to drain.
  draining: {
    extend: 'stopping asked/retire: +7',
    stop: 'stopping asked/retire: signal +10000',
    delete: 'stopping asked/retire: signal +10000',
    launchFailed: 'stopped: - retired',
    noResources: 'stopped: - retired',
    notAsked: 'stopping asked/retire: signal +10000',
    launched: 'stopping asked/retire: signal',
    exited: 'stopping asked/retire:',
    treeEmptied: 'stopping asked/retire:',
    due: 'stopping asked/retire: signal +10000',
  },
  // Neither start nor restart nor stop undoes a delete.
  'asked, to delete': {
    extend: 'stopping asked/delete: +7',
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
    tick: 'stopping leaving/start:',
    start: 'stopping leaving/start:',
    restart: 'stopping leaving/start:',
    stop: 'stopping asked/stay: signal +10000',
    delete: 'stopping asked/delete: signal +10000',
    retire: 'stopping asked/retire: signal +10000',
    treeEmptied: 'backoff: +100',
    due: 'stopping asked/policy: signal +10000',
  },
  stuck: {
    start: 'stuck start:',
    restart: 'stuck start:',
    stop: 'stopping killing/stay: kill +2000',
    delete: 'stopping killing/delete: kill +2000',
    retire: 'stopping killing/retire: kill +2000',
    treeEmptied: 'stopped: -',
    treeAlive: 'stuck stay: +5000',
    due: 'stuck stay: kill survey',
  },
  'stuck, to delete': {
    stop: 'stopping killing/delete: kill +2000',
    delete: 'stopping killing/delete: kill +2000',
    retire: 'stopping killing/delete: kill +2000',
    treeEmptied: 'stopped: - forget',
    treeAlive: 'stuck delete: +5000',
    due: 'stuck delete: kill survey',
  },
};

const model = (state: State): Model => ({ ...newModel, state, restarts: 2, streak: 1, run });

function effectInWords(effect: Effect): string {
  if (effect.do === 'timer') return effect.at === null ? '-' : `+${effect.at - now}`;
  return effect.do === 'ask' ? effect.how : effect.do;
}

/** `stopping asked/stay: signal +10000`, or '' for a state that stays as it is without an effect. */
function inWords(before: State, event: Event): string {
  const isNotReady = before.name === 'starting' && before.isLaunched;
  const its = isNotReady ? { ...spec, ready: { kind: 'notify' } as const } : spec;
  const { model: after, effects } = step(model(before), event, {
    spec: its,
    now,
    random: 0,
    turn: null,
    role: 'main',
    nextRun: 0,
    canDrain: true,
    ready: its.ready,
    hasConnection: false,
    crashDelayMs: 0,
  });
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
      { type: 'ready', run: run - 1 },
      { type: 'extend', run: run - 1, ms: 1 },
      { type: 'unwell', run: run - 1, reason: '' },
      { type: 'notAsked', run: run - 1 },
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

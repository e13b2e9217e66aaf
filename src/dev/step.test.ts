import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Effect, type Event, firstModel, type Model, type Policy, step } from './step.ts';

const policy: Policy = { hasGate: false, onBusy: 'restart', endsOnCrash: false, restartsOnCrash: false };
const change = (...paths: string[]) => ({ type: 'changed', change: { paths, count: paths.length } }) as const;
const exited = (code: number | null, more = {}): Event => ({
  type: 'exited',
  ended: { code, signal: code === null ? 'SIGSEGV' : null, isStable: false, isMissing: false, ...more },
});
const begin: Event = { type: 'begin' };
const emptied: Event = { type: 'emptied' };
const asked: Event = { type: 'asked' };
const passed: Event = { type: 'gatePassed' };
const failed: Event = { type: 'gateFailed' };
const endAsked: Event = { type: 'endAsked', code: 130 };

/** What is done for each event in turn: `stop start`. */
function doings(
  events: readonly Event[],
  more: Partial<Policy> = {},
): { readonly model: Model; readonly done: string[] } {
  let model = firstModel;
  const done = events.map((event) => {
    const next = step(model, event, { ...policy, ...more });
    model = next.model;
    return next.effects.map(shown).filter(Boolean).join(' ');
  });
  return { model, done };
}

const shown = (effect: Effect): string => {
  if (effect.do === 'end') return `end ${effect.code}`;
  if (effect.do === 'rest') return `rest ${effect.ms}`;
  return effect.do.startsWith('tell') ? '' : effect.do;
};

test('a change ends what runs, and it starts when all of it is gone', () => {
  assert.deepEqual(doings([begin, change('a'), emptied]).done, ['start', 'stop', 'start']);
});

test('what changes while it is ended is merged: one start follows', () => {
  assert.deepEqual(doings([begin, change('a'), change('b'), asked, change('c'), emptied]).done, [
    'start',
    'stop',
    '',
    '',
    '',
    'start',
  ]);
});

test('after an end of its own it waits for a change, or for whoever asks', () => {
  for (const code of [0, 1, null])
    assert.deepEqual(doings([begin, exited(code), change('a'), emptied]).done, ['start', '', 'stop', 'start']);
  assert.deepEqual(doings([begin, exited(1), asked, emptied]).done, ['start', '', 'stop', 'start']);
});

test('a crash may end it, with its code; a clean exit does not', () => {
  const more = { endsOnCrash: true };
  assert.deepEqual(doings([begin, exited(3), emptied], more).done, ['start', 'stop', 'end 3']);
  assert.deepEqual(doings([begin, exited(null), emptied], more).done, ['start', 'stop', 'end 139']);
  assert.deepEqual(doings([begin, exited(0)], more).done, ['start', '']);
  assert.deepEqual(doings([begin, exited(127, { isMissing: true }), emptied]).done, ['start', 'stop', 'end 127']);
});

test('after crashes it starts by itself, later each time, and sooner again after a long run', () => {
  const more = { restartsOnCrash: true };
  const rested: Event = { type: 'rested' };
  const { done } = doings(
    [begin, exited(1), rested, emptied, exited(1), rested, emptied, exited(1, { isStable: true })],
    more,
  );
  assert.deepEqual(done, ['start', 'rest 500', 'stop', 'start', 'rest 1000', 'stop', 'start', 'rest 500']);
  assert.deepEqual(doings([begin, exited(1), change('a'), emptied], more).done.slice(2), ['stop', 'start']);
});

test('a gate is passed before anything is ended', () => {
  const more = { hasGate: true };
  assert.deepEqual(doings([begin, passed, emptied, change('a'), passed, emptied], more).done, [
    'openGate',
    'stop',
    'start',
    'openGate',
    'stop',
    'start',
  ]);
  const { done, model } = doings([begin, passed, emptied, change('a'), failed], more);
  assert.deepEqual(done.slice(3), ['openGate', '']);
  assert.equal(model.phase.name, 'running');
});

test('a change during a gate makes for another one, whatever becomes of the first', () => {
  const more = { hasGate: true };
  for (const first of [passed, failed])
    assert.deepEqual(doings([begin, change('a'), change('b'), first, passed, emptied], more).done, [
      'openGate',
      '',
      '',
      'openGate',
      'stop',
      'start',
    ]);
  // What runs is being ended: the next gate waits for the start, so that there is no gap.
  const { done } = doings([begin, passed, emptied, change('a'), passed, change('b'), emptied, passed, emptied], more);
  assert.deepEqual(done.slice(3), ['openGate', 'stop', '', 'start openGate', 'stop', 'start']);
});

test('a program that ends during a gate is started when it has passed', () => {
  const more = { hasGate: true };
  assert.deepEqual(doings([begin, passed, emptied, change('a'), exited(1), passed, emptied], more).done.slice(3), [
    'openGate',
    '',
    'stop',
    'start',
  ]);
});

test('while it is busy a change waits, is a signal, or is ignored; whoever asks is obeyed', () => {
  assert.deepEqual(doings([begin, change('a'), change('b'), exited(0), emptied], { onBusy: 'queue' }).done, [
    'start',
    '',
    '',
    'stop',
    'start',
  ]);
  assert.deepEqual(doings([begin, change('a')], { onBusy: 'signal' }).done, ['start', 'signal']);
  assert.deepEqual(doings([begin, change('a'), exited(0), change('b'), emptied], { onBusy: 'ignore' }).done, [
    'start',
    '',
    '',
    'stop',
    'start',
  ]);
  assert.deepEqual(doings([begin, asked, emptied], { onBusy: 'ignore' }).done, ['start', 'stop', 'start']);
});

test('whoever ends it waits until all is gone; asked again it is killed', () => {
  assert.deepEqual(doings([begin, endAsked, change('a'), emptied, begin]).done, ['start', 'stop', '', 'end 130', '']);
  assert.deepEqual(doings([begin, endAsked, endAsked, emptied]).done, ['start', 'stop', 'kill', 'end 130']);
  assert.deepEqual(doings([begin, change('a'), endAsked, emptied]).done, ['start', 'stop', 'stop', 'end 130']);
  assert.deepEqual(doings([begin, endAsked, emptied], { hasGate: true }).done, [
    'openGate',
    'closeGate stop',
    'end 130',
  ]);
});

test('the reason has the files of all changes that led to it', () => {
  let model = firstModel;
  const told: Effect[] = [];
  for (const event of [begin, change('a', 'b'), change('b', 'c'), passed, passed]) {
    const next = step(model, event, { ...policy, hasGate: true });
    model = next.model;
    told.push(...next.effects.filter((effect) => effect.do === 'tellRestart'));
  }
  assert.deepEqual(told, [{ do: 'tellRestart', change: { paths: ['a', 'b', 'c'], count: 3 }, isRunning: false }]);
});

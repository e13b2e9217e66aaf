import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settle } from '../config/settle.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { type Context, type Effect, type Event, type Model, newModel } from './state.ts';
import { killPatienceMs, step } from './step.ts';

const inherited = { umask: 0, limits: {}, nice: 0, oomScoreAdj: 0 };
const spec = { kind: 'app', ...settle({ stopExitCodes: ['3'] }, { kind: 'app', inherited }) } as unknown as AppSpec;

const exit = (run: number, code: number | null, upMs = 50, signal: string | null = null) => ({
  run,
  code,
  signal,
  ambiguous: false,
  upMs,
});

const unshared = { role: 'main', nextRun: 0, canDrain: false, hasConnection: false } as const;

/** Feeds events one after the other; the model and the effects of the last. */
function feed(events: readonly Event[], over: Partial<AppSpec> = {}, from: Model = newModel, now = 1000) {
  let model = from;
  let effects: readonly Effect[] = [];
  for (const event of events)
    ({ model, effects } = step(model, event, {
      spec: { ...spec, ...over },
      now,
      random: 0,
      turn: null,
      ...unshared,
      ready: over.ready ?? null,
      crashDelayMs: 0,
    }));
  return { model, effects };
}

const running: readonly Event[] = [
  { type: 'start', by: 'user' },
  { type: 'launched', run: 1 },
];

test('a start launches, and a launch on record is running', () => {
  const started = feed([{ type: 'start', by: 'user' }]);
  assert.deepEqual([started.model.state.name, started.effects.at(-1)], ['starting', { do: 'launch', run: 1 }]);
  assert.equal(feed(running).model.state.name, 'running');
});

test('a crash ends what is left, then starts again at once, then backs off', () => {
  const crashed = feed([...running, { type: 'exited', exit: exit(1, 1) }]);
  assert.equal(crashed.model.state.name, 'stopping');
  const again = feed([{ type: 'treeEmptied', run: 1 }], {}, crashed.model);
  assert.deepEqual([again.model.state.name, again.model.run, again.model.restarts], ['starting', 2, 1]);
  const second = feed(
    [
      { type: 'launched', run: 2 },
      { type: 'exited', exit: exit(2, 1) },
      { type: 'treeEmptied', run: 2 },
    ],
    {},
    again.model,
  );
  assert.deepEqual(second.model.state, { name: 'backoff', until: 1100, reason: 'exit code 1' });
});

test('ten seconds of running make earlier crashes forgotten', () => {
  const tired = { ...newModel, run: 1, streak: 7, state: { name: 'running', run: 1, since: 0 } } as Model;
  const again = feed(
    [
      { type: 'exited', exit: exit(1, 1, 10_000) },
      { type: 'treeEmptied', run: 1 },
    ],
    {},
    tired,
  );
  assert.deepEqual([again.model.state.name, again.model.streak], ['starting', 1]);
});

test('the policy: exit codes, signals, limits', () => {
  const after = (code: number | null, over: Partial<AppSpec>, signal: string | null = null) =>
    feed([...running, { type: 'exited', exit: exit(1, code, 50, signal) }, { type: 'treeEmptied', run: 1 }], over).model
      .state.name;
  assert.equal(after(0, { restart: 'on-failure' }), 'completed');
  assert.equal(after(1, { restart: 'on-failure' }), 'starting');
  assert.equal(after(null, { restart: 'on-failure' }, 'SIGKILL'), 'starting');
  assert.equal(after(0, { restart: 'no' }), 'completed');
  assert.equal(after(1, { restart: 'no' }), 'failed');
  assert.equal(after(3, {}), 'completed');
  assert.equal(after(1, { maxRestarts: 0 }), 'failed');
});

test('a stop that is not heeded kills, and what outlives that is stuck until it is gone', () => {
  const asked = feed([...running, { type: 'stop', goal: 'stay' }]);
  assert.deepEqual(asked.effects[0], { do: 'signal', signal: 'SIGTERM' });
  const killing = feed([{ type: 'due' }], {}, asked.model, 11_000);
  assert.deepEqual(killing.effects[0], { do: 'kill' });
  const stuck = feed([{ type: 'treeAlive', run: 1, pids: [7] }], {}, killing.model, 11_000 + killPatienceMs);
  assert.equal(stuck.model.state.name, 'stuck');
  const gone = feed(
    [
      { type: 'treeEmptied', run: 1 },
      { type: 'exited', exit: exit(1, null, 5, 'SIGKILL') },
    ],
    {},
    stuck.model,
  );
  assert.equal(gone.model.state.name, 'stopped');
});

test('a stop in back-off stays stopped; a start in back-off starts now', () => {
  const waiting = {
    ...newModel,
    run: 3,
    streak: 4,
    state: { name: 'backoff', until: 9000, reason: 'exit code 1' },
  } as Model;
  const stopped = feed([{ type: 'stop', goal: 'stay' }, { type: 'due' }], {}, waiting, 9999);
  assert.equal(stopped.model.state.name, 'stopped');
  assert.deepEqual(
    [
      feed([{ type: 'start', by: 'user' }], {}, waiting).model.run,
      feed([{ type: 'start', by: 'user' }], {}, waiting).model.streak,
    ],
    [4, 0],
  );
});

test('a job hands over its end at once and what it left goes later', () => {
  const job = { kind: 'job', restart: 'no' } as const;
  const ended = feed([...running, { type: 'exited', exit: exit(1, 0) }], job);
  assert.equal(ended.model.state.name === 'stopping' && ended.model.state.phase, 'leaving');
  assert.equal(feed([{ type: 'treeEmptied', run: 1 }], job, ended.model).model.state.name, 'completed');
  assert.deepEqual(feed([{ type: 'due' }], job, ended.model, 11_000).effects[0], { do: 'signal', signal: 'SIGTERM' });
});

/** A world that answers effects as processes would, in any order: programs that die by themselves, that ignore signals, launches that fail. */
class World {
  model: Model = newModel;
  now = 0;
  timer: number | null = null;
  forgotten = false;
  /** Of the current run: is its main program, is anything of it alive. */
  main = false;
  tree = false;
  claimed = false;
  pending: Event[] = [];
  /** It is another's turn. */
  isBlocked = false;
  readonly over: Partial<AppSpec>;
  /** The last wish: what a user may rely on. */
  wish: 'up' | 'down' | 'gone' | 'none' = 'none';

  constructor(over: Partial<AppSpec>) {
    this.over = over;
  }

  send(event: Event): void {
    const before = this.model;
    const context = { spec: { ...spec, ...this.over }, now: this.now, random: 0.5 };
    const turn = this.isBlocked ? { reason: 'not yet', isBlocked: false } : null;
    const next = step(this.model, event, {
      ...context,
      ...unshared,
      ready: context.spec.ready,
      turn,
      crashDelayMs: this.now % 3 === 0 ? 40 : 0,
    });
    this.model = next.model;
    assert.ok(next.model.run >= before.run && next.model.run <= before.run + 1, 'run numbers grow by one');
    for (const effect of next.effects) this.perform(effect);
    const { name } = this.model.state;
    if (['stopped', 'completed', 'failed', 'backoff', 'waiting'].includes(name)) {
      assert.ok(!this.tree && !this.main, `${name} while something lives`);
    }
  }

  perform(effect: Effect): void {
    const { run } = this.model;
    switch (effect.do) {
      case 'launch':
        assert.ok(!this.tree && !this.main, 'launched while an earlier run lives');
        assert.ok(this.wish === 'up', `launched though the wish is ${this.wish}`);
        this.claimed = false;
        this.pending.push({ type: 'launched', run: effect.run });
        break;
      case 'fence':
        if (!this.claimed) {
          this.pending = this.pending.filter(({ type }) => type !== 'launched');
          this.pending.push({ type: 'launchFailed', run, reason: 'fenced', retry: false });
        }
        break;
      case 'kill':
        this.kill();
        break;
      case 'watchReady':
        this.pending.push({ type: 'ready', run });
        break;
      case 'ask':
      case 'signal':
      case 'watchTree':
      case 'survey':
        if (!this.tree) this.pending.push({ type: 'treeEmptied', run });
        break;
      case 'timer':
        this.timer = effect.at;
        break;
      case 'forget':
        assert.ok(!this.tree, 'forgotten while something lives');
        this.forgotten = true;
    }
  }

  kill(): void {
    if (this.main) this.dies(137, 'SIGKILL');
    if (this.tree) {
      this.tree = false;
      this.pending.push({ type: 'treeEmptied', run: this.model.run });
    }
  }

  dies(code: number, signal: string | null = null): void {
    this.main = false;
    this.pending.push({ type: 'exited', exit: exit(this.model.run, signal === null ? code : null, 10, signal) });
  }

  /** One thing happens that may happen now. */
  happen(choice: number): void {
    const event =
      this.pending.length > 0 && choice % 3 !== 0 ? this.pending.splice(choice % this.pending.length, 1)[0] : undefined;
    if (event?.type === 'launched') {
      this.claimed = true;
      this.main = true;
      this.tree = true;
    }
    if (event) this.send(event);
    else if (this.main && choice % 5 === 0) this.dies(choice % 4);
    else if (choice % 11 === 0) this.send(happening(choice, this.model.run));
    else if (choice % 13 === 0) {
      this.isBlocked = !this.isBlocked;
      this.send({ type: 'turn' });
    } else if (!this.main && this.tree && choice % 2 === 0) {
      this.tree = false;
      this.send({ type: 'treeEmptied', run: this.model.run });
    } else if (this.timer !== null) {
      this.now = Math.max(this.now + 1, this.timer);
      this.timer = null;
      this.send({ type: 'due' });
    }
  }
}

/** What comes from the program, from a check or from the clock. */
function happening(choice: number, run: number): Event {
  const all: Event[] = [
    { type: 'tick', at: choice },
    { type: 'unwell', run, reason: 'sick' },
    { type: 'extend', run, ms: choice },
    { type: 'ready', run },
    { type: 'notAsked', run },
    { type: 'ready', run: run - 1 },
  ];
  return all[choice % all.length]!;
}

const runs = Number(process.env.STEAD_PROPERTY_RUNS ?? 10_000);

test(`whatever happens in whatever order: one live tree, no start against the wish, a way on from every state (${runs} sequences)`, () => {
  const wishes = fc.constantFrom<Event>(
    { type: 'start', by: 'user' },
    { type: 'restart' },
    { type: 'stop', goal: 'stay' },
    { type: 'stop', goal: 'delete' },
    { type: 'reset' },
  );
  const action = fc.oneof({ weight: 4, arbitrary: fc.nat(1000) }, { weight: 1, arbitrary: wishes });
  const policies = fc.record({
    restart: fc.constantFrom('always', 'on-failure', 'no'),
    kind: fc.constantFrom('app', 'job'),
    maxRestarts: fc.constantFrom(null, 2),
    restartWindowMs: fc.constantFrom(null, 1000),
    retryFailedAfterMs: fc.constantFrom(null, 500),
    ready: fc.constantFrom(null, { kind: 'notify' }),
    timeoutMs: fc.constantFrom(null, 300),
    stopCommand: fc.constantFrom(null, 'true'),
    schedule: fc.constantFrom(null, { overlap: 'skip' }, { overlap: 'queue' }, { overlap: 'replace' }),
  });
  const property = fc.property(policies, fc.array(action, { maxLength: 60 }), (over, actions) => {
    const world = new World(over as Partial<AppSpec>);
    const wish = (event: Event) => {
      // Nobody can ask anything of what is gone; what is being deleted may be asked, in vain.
      if (world.forgotten) return;
      if (event.type === 'stop' && event.goal === 'delete') world.wish = 'gone';
      else if (event.type !== 'reset' && world.wish !== 'gone') world.wish = event.type === 'stop' ? 'down' : 'up';
      world.send(event);
    };
    for (const each of actions) {
      if (typeof each === 'number') world.happen(each);
      else wish(each);
    }
    // In the end a stop always gets there: timers fire, processes die of SIGKILL.
    wish({ type: 'stop', goal: 'stay' });
    for (let round = 0; round < 200 && (world.pending.length > 0 || world.timer !== null); round++)
      world.happen(3 * round + 1);
    const { name } = world.model.state;
    assert.ok(world.forgotten || ['stopped', 'completed', 'failed'].includes(name), `ends in ${name}`);
    assert.equal(world.forgotten, world.wish === 'gone', 'a delete is carried out, and nothing else forgets');
    assert.ok(!world.tree && !world.main);
  });
  fc.assert(property, { numRuns: runs });
});

test('a stop sequence goes step by step, at once where it could not be asked; what stead ends itself is a failure', () => {
  const over = {
    stopCommand: 'false',
    stopSignals: [
      { signal: 'SIGINT', waitMs: 50 },
      { signal: 'SIGTERM', waitMs: null },
    ],
    restart: 'on-failure',
  } as Partial<AppSpec>;
  const asked = feed([...running, { type: 'stop', goal: 'stay' }], over);
  assert.deepEqual(asked.effects[0], { do: 'ask', how: 'command' });
  const refused = feed([{ type: 'notAsked', run: 1 }], over, asked.model, 1001);
  assert.deepEqual(refused.effects, [
    { do: 'signal', signal: 'SIGINT' },
    { do: 'timer', at: 1051 },
  ]);
  const second = feed([{ type: 'due' }], over, refused.model, 1051);
  assert.deepEqual(second.effects[0], { do: 'signal', signal: 'SIGTERM' });
  // A signal is no asking: nothing can refuse it.
  assert.deepEqual(feed([{ type: 'notAsked', run: 1 }], over, second.model, 1052).effects, []);
  assert.deepEqual(feed([{ type: 'due' }], over, second.model, 11_051).effects[0], { do: 'kill' });

  const unwell: readonly Event[] = [
    ...running,
    { type: 'unwell', run: 1, reason: 'memory' },
    { type: 'exited', exit: exit(1, 0) },
    { type: 'treeEmptied', run: 1 },
  ];
  assert.equal(feed(unwell, { restart: 'on-failure' }).model.state.name, 'starting');
  const failed = feed(unwell, { restart: 'no' }).model.state;
  assert.deepEqual(failed, { name: 'failed', reason: 'memory', until: null, isLate: false });
});

test('a person’s start that is not ready in time has failed, and the daemon’s own is tried again', () => {
  const over = { ready: { kind: 'notify' }, readyTimeoutMs: 100 } as Partial<AppSpec>;
  const late = (by: 'user' | 'daemon') => {
    const started = feed(
      [
        { type: 'start', by },
        { type: 'launched', run: 1 },
      ],
      over,
    );
    const stopping = feed([{ type: 'due' }], over, started.model, 1100);
    const ends: readonly Event[] = [
      { type: 'exited', exit: exit(1, null, 90, 'SIGTERM') },
      { type: 'treeEmptied', run: 1 },
    ];
    return feed(ends, over, stopping.model, 1101).model.state;
  };
  assert.deepEqual(late('user'), {
    name: 'failed',
    reason: 'not ready within 100 ms (READY=1)',
    until: null,
    isLate: true,
  });
  assert.equal(late('daemon').name, 'starting');
});

/** One step in a context of its own. */
const stepIn = (model: Model, event: Event, over: Partial<Context>, share: Partial<AppSpec['share']> = {}) =>
  step(model, event, {
    spec: { ...spec, share: { ...spec.share, ...share } },
    now: 1000,
    random: 0,
    turn: null,
    ...unshared,
    ready: null,
    crashDelayMs: 0,
    ...over,
  });

test('a candidate has one chance: what ends it is its failure, whatever the policy', () => {
  const { model } = feed(running);
  const ended = stepIn(model, { type: 'exited', exit: exit(1, 1) }, { role: 'candidate' });
  const gone = stepIn(ended.model, { type: 'treeEmptied', run: 1 }, { role: 'candidate' });
  assert.deepEqual(gone.model.state, { name: 'failed', reason: 'exit code 1', until: null, isLate: false });
});

test('a run has a number that no other run of its instance has had', () => {
  const { model, effects } = stepIn(newModel, { type: 'start', by: 'user' }, { nextRun: 7 });
  assert.deepEqual([model.run, effects.at(-1)], [7, { do: 'launch', run: 7 }]);
});

test('what retires drains, is asked to end when it has, and makes room', () => {
  const { model } = feed(running);
  const asked = stepIn(model, { type: 'stop', goal: 'retire' }, { canDrain: true });
  assert.deepEqual(asked.effects[0], { do: 'ask', how: 'drain' });
  const drained = stepIn(asked.model, { type: 'notAsked', run: 1 }, { canDrain: true });
  assert.deepEqual(drained.effects[0], { do: 'signal', signal: 'SIGTERM' });
  const ended = stepIn(drained.model, { type: 'exited', exit: exit(1, 0) }, {});
  const gone = stepIn(ended.model, { type: 'treeEmptied', run: 1 }, {});
  assert.deepEqual(gone.effects.at(-1), { do: 'retired' });
});

test('an app on demand waits for a connection, also after a crash and after it was idle', () => {
  const onDemand = { onDemand: true };
  const waiting = stepIn(newModel, { type: 'start', by: 'user' }, {}, onDemand);
  assert.deepEqual([waiting.model.state.name, waiting.effects.at(-1)], ['waiting', { do: 'watchConnections' }]);
  const launched = stepIn(waiting.model, { type: 'connection' }, { hasConnection: true }, onDemand);
  assert.deepEqual(launched.effects.at(-1), { do: 'launch', run: 1 });
  const up = stepIn(launched.model, { type: 'launched', run: 1 }, {}, onDemand);
  for (const event of [{ type: 'idle', run: 1 } as const, { type: 'exited', exit: exit(1, 0) } as const]) {
    let { model } = stepIn(up.model, event, {}, onDemand);
    if (event.type === 'idle') ({ model } = stepIn(model, { type: 'exited', exit: exit(1, 0) }, {}, onDemand));
    const rest = stepIn(model, { type: 'treeEmptied', run: 1 }, {}, onDemand);
    assert.equal(rest.model.state.name, 'waiting', event.type);
  }
});

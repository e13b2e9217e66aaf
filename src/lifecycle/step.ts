/**
 * The one function that decides: `step(model, event, context) → {model, effects}`. No clock, no I/O, no promise.
 *
 * Theory of operation. A run goes starting → running → (its main program ends or is asked to) stopping → what its goal says. `stopping` is left only when
 * the main program's end is known AND nothing of its tree is alive: so there are never two runs of one instance, and `stopped` is never said of
 * something that lives. A tree that outlives SIGKILL makes the instance `stuck`, which is left by the same door. Stop wins over every
 * pending start. Every state × event cell is written; the table does not compile with one missing.
 */
import { backoffMs } from './backoff.ts';
import type { Context, Effect, Event, Exit, Goal, Model, State, Step, Stopping } from './state.ts';
import { exitInWords } from './words.ts';

/** How long after SIGKILL something may still be alive before it is called stuck. */
export const killPatienceMs = 2000;
/** How often a stuck tree is looked at. */
export const stuckLookMs = 5000;

type Named<N extends State['name']> = Extract<State, { name: N }>;
type Cell<N extends State['name'], T extends Event['type']> = (
  at: { readonly model: Model; readonly state: Named<N>; readonly event: Extract<Event, { type: T }> },
  context: Context,
) => Step;
type Table = { readonly [N in State['name']]: { readonly [T in Event['type']]: Cell<N, T> } };

export function step(model: Model, event: Event, context: Context): Step {
  const row = table[model.state.name] as unknown as Record<Event['type'], Cell<never, never>>;
  return row[event.type]({ model, state: model.state as never, event: event as never }, context);
}

const stay = ({ model }: { readonly model: Model }): Step => ({ model, effects: [] });
const noTimer: Effect = { do: 'timer', at: null };
const timer = (at: number): Effect => ({ do: 'timer', at });
const go = (model: Model, state: State, ...effects: Effect[]): Step => ({ model: { ...model, state }, effects });

/** A start that a person asked for: earlier crashes are forgotten. */
const startAfresh = ({ model }: { readonly model: Model }, context: Context): Step =>
  launch({ ...model, streak: 0 }, context);

function launch(model: Model, { now }: Context): Step {
  const run = model.run + 1;
  return go({ ...model, run }, { name: 'starting', run, since: now }, noTimer, { do: 'launch', run });
}

/** Asks the tree of a run to end. */
function askToEnd(model: Model, run: number, goal: Goal, { spec, now }: Context, exit: Exit | null = null): Step {
  const deadline = now + spec.stopTimeoutMs;
  const state: Stopping = {
    name: 'stopping',
    run,
    phase: 'asked',
    deadline,
    goal,
    exit,
    treeIsEmpty: false,
    killed: false,
  };
  return go(model, state, { do: 'signal', signal: spec.stopSignal }, timer(deadline));
}

/** Stops what is being launched: fenced if there is time, else ended as soon as it is there. */
function stopLaunch(model: Model, state: Named<'starting'>, goal: Goal, context: Context): Step {
  const deadline = context.now + context.spec.stopTimeoutMs;
  const next: Stopping = {
    name: 'stopping',
    run: state.run,
    phase: 'asked',
    deadline,
    goal,
    exit: null,
    treeIsEmpty: false,
    killed: false,
  };
  return go(model, next, { do: 'fence', run: state.run }, timer(deadline));
}

/** The main program ended by itself: what it left behind goes before anything else happens. */
function ended(model: Model, exit: Exit, context: Context): Step {
  const { spec, now } = context;
  if (spec.kind === 'job') {
    const deadline = now + (spec.keepTree ? 0 : spec.leaveTimeoutMs);
    if (spec.keepTree) return afterExit(model, exit, context);
    const state: Stopping = {
      name: 'stopping',
      run: exit.run,
      phase: 'leaving',
      deadline,
      goal: 'policy',
      exit,
      treeIsEmpty: false,
      killed: false,
    };
    return go(model, state, timer(deadline), { do: 'watchTree' });
  }
  return askToEnd(model, exit.run, 'policy', context, exit);
}

/** The tree is empty and the main program's end is known: what now. */
function finish(
  model: Model,
  { goal, exit }: { readonly goal: Goal; readonly exit: Exit | null },
  context: Context,
  how = '',
): Step {
  switch (goal) {
    case 'start':
      return launch({ ...model, streak: 0 }, context);
    case 'delete':
      return go(model, { name: 'stopped', reason: 'deleted' }, noTimer, { do: 'forget' });
    case 'stay':
      return go(
        model,
        { name: 'stopped', reason: `stopped on request${how || (exit === null ? '' : `: ${exitInWords(exit)}`)}` },
        noTimer,
      );
    case 'policy':
      return exit === null
        ? go(model, { name: 'failed', reason: 'never ran' }, noTimer)
        : afterExit(model, exit, context);
  }
}

function finishIfDone(model: Model, state: Stopping, context: Context): Step {
  if (!state.treeIsEmpty || state.exit === null) return go(model, state);
  const how = state.killed
    ? `: killed after ${context.spec.stopTimeoutMs / 1000} s, as it did not end on ${context.spec.stopSignal}`
    : '';
  return finish(model, state, context, how);
}

/** The restart policy. */
function afterExit(model: Model, exit: Exit, context: Context): Step {
  const { spec } = context;
  const reason = exitInWords(exit);
  const isSuccess = exit.code === 0 && !exit.ambiguous;
  const isStop = exit.code !== null && spec.stopExitCodes.includes(exit.code);
  if (isStop || (isSuccess && spec.restart !== 'always')) return go(model, { name: 'completed', reason }, noTimer);
  if (spec.restart === 'no') return go(model, { name: 'failed', reason }, noTimer);
  const streak = exit.upMs !== null && exit.upMs >= spec.stableAfterMs ? 0 : model.streak;
  return again({ ...model, streak }, reason, context);
}

/** The next automatic start: at once, after the back-off, or never. */
function again(model: Model, reason: string, context: Context): Step {
  const { spec, now, random } = context;
  if (spec.maxRestarts !== null && model.streak >= spec.maxRestarts) {
    return go(
      model,
      { name: 'failed', reason: `${reason}; gave up after ${model.streak} restarts in a row (max_restarts)` },
      noTimer,
    );
  }
  const delay = backoffMs(model.streak, random);
  if (delay === 0) return relaunch(model, context);
  return go(model, { name: 'backoff', until: now + delay, reason }, timer(now + delay));
}

const relaunch = (model: Model, context: Context): Step =>
  launch({ ...model, restarts: model.restarts + 1, streak: model.streak + 1 }, context);

const forgetAtOnce = ({ model }: { readonly model: Model }): Step =>
  go(model, { name: 'stopped', reason: 'deleted' }, noTimer, { do: 'forget' });

const resetCounters = ({ model }: { readonly model: Model }): Step => ({
  model: { ...model, restarts: 0, streak: 0 },
  effects: [],
});

/** Rows of the states in which nothing of the instance is alive. */
const restRow = {
  start: startAfresh,
  restart: startAfresh,
  stop: ({ model, event }: { readonly model: Model; readonly event: Extract<Event, { type: 'stop' }> }): Step =>
    event.goal === 'delete' ? forgetAtOnce({ model }) : stay({ model }),
  reset: resetCounters,
  launched: stay,
  launchFailed: stay,
  exited: stay,
  treeEmptied: stay,
  treeAlive: stay,
  due: stay,
} as const;

/** A later wish changes what follows, except that nothing undoes a `delete`. */
const wish = (goal: Goal, wanted: Goal): Goal => (goal === 'delete' ? 'delete' : wanted);

const stopCompletely = (
  { model, state, event }: { model: Model; state: Stopping; event: { goal: 'stay' | 'delete' } },
  context: Context,
): Step => {
  const next: Stopping = { ...state, goal: wish(state.goal, event.goal) };
  // What a job left behind had time; a stop takes it away.
  return state.phase === 'leaving' ? askToEnd(model, state.run, next.goal, context, state.exit) : go(model, next);
};

const table: Table = {
  stopped: restRow,
  completed: {
    ...restRow,
    stop: ({ model, event }) => (event.goal === 'delete' ? forgetAtOnce({ model }) : stay({ model })),
    reset: ({ model }) => ({ model: { ...model, restarts: 0, streak: 0 }, effects: [] }),
  },
  failed: {
    ...restRow,
    stop: ({ model, state, event }) =>
      event.goal === 'delete' ? forgetAtOnce({ model }) : go(model, { name: 'stopped', reason: state.reason }),
    reset: ({ model, state }) => go({ ...model, restarts: 0, streak: 0 }, { name: 'stopped', reason: state.reason }),
  },
  backoff: {
    ...restRow,
    stop: ({ model, state, event }) =>
      event.goal === 'delete'
        ? forgetAtOnce({ model })
        : go(
            model,
            { name: 'stopped', reason: `stopped on request while waiting to restart: ${state.reason}` },
            noTimer,
          ),
    due: ({ model, state }, context) =>
      context.now >= state.until ? relaunch(model, context) : go(model, state, timer(state.until)),
  },
  starting: {
    start: stay,
    stop: ({ model, state, event }, context) => stopLaunch(model, state, event.goal, context),
    restart: ({ model, state }, context) => stopLaunch(model, state, 'start', context),
    reset: resetCounters,
    launched: ({ model, state, event }, { now }) =>
      event.run === state.run ? go(model, { name: 'running', run: state.run, since: now }) : stay({ model }),
    launchFailed: ({ model, state, event }, context) => {
      if (event.run !== state.run) return stay({ model });
      return event.retry
        ? retryLaunch(model, event.reason, context)
        : go(model, { name: 'failed', reason: event.reason }, noTimer);
    },
    exited: ({ model, state, event }, context) =>
      event.exit.run === state.run ? ended(model, event.exit, context) : stay({ model }),
    treeEmptied: stay,
    treeAlive: stay,
    due: stay,
  },
  running: {
    start: stay,
    stop: ({ model, state, event }, context) => askToEnd(model, state.run, event.goal, context),
    restart: ({ model, state }, context) => askToEnd(model, state.run, 'start', context),
    reset: resetCounters,
    launched: stay,
    launchFailed: stay,
    exited: ({ model, state, event }, context) =>
      event.exit.run === state.run ? ended(model, event.exit, context) : stay({ model }),
    treeEmptied: stay,
    treeAlive: stay,
    due: stay,
  },
  stopping: {
    start: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    stop: stopCompletely,
    restart: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    reset: resetCounters,
    // Too late for the fence: it runs, so it is told to end.
    launched: ({ model, state, event }, { spec }) =>
      event.run === state.run && state.exit === null
        ? go(model, { ...state, treeIsEmpty: false }, { do: 'signal', signal: spec.stopSignal })
        : stay({ model }),
    // What has ended did run, and what it left may live.
    launchFailed: ({ model, state, event }, context) =>
      event.run === state.run && state.exit === null
        ? finish(model, state, context, ' before it ran')
        : stay({ model }),
    exited: ({ model, state, event }, context) =>
      event.exit.run === state.run ? finishIfDone(model, { ...state, exit: event.exit }, context) : stay({ model }),
    treeEmptied: ({ model, state, event }, context) =>
      event.run === state.run ? finishIfDone(model, { ...state, treeIsEmpty: true }, context) : stay({ model }),
    treeAlive: ({ model, state, event }, { now }) =>
      event.run === state.run && state.phase === 'killing' && now >= state.deadline
        ? becomeStuck(model, state, event.pids, now)
        : stay({ model }),
    due: stoppingIsDue,
  },
  stuck: {
    start: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    restart: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    stop: ({ model, state, event }, context) =>
      killAgain(model, { ...state, goal: wish(state.goal, event.goal) }, context),
    reset: resetCounters,
    launched: stay,
    launchFailed: stay,
    exited: ({ model, state, event }) =>
      event.exit.run === state.run ? go(model, { ...state, exit: event.exit }) : stay({ model }),
    treeEmptied: ({ model, state, event }, context) =>
      event.run === state.run ? unstick(model, state, context) : stay({ model }),
    treeAlive: ({ model, state, event }, { now }) =>
      event.run === state.run ? go(model, { ...state, pids: event.pids }, timer(now + stuckLookMs)) : stay({ model }),
    due: ({ model, state }) => go(model, state, { do: 'kill' }, { do: 'survey' }),
  },
};

function retryLaunch(model: Model, reason: string, context: Context): Step {
  // A launch that fails for want of resources is never tried again at once.
  const counted = { ...model, streak: Math.max(model.streak, 1) };
  const next = again(counted, reason, context);
  return next.model.state.name === 'backoff' ? { ...next, model: { ...next.model, streak: counted.streak + 1 } } : next;
}

function stoppingIsDue({ model, state }: { readonly model: Model; readonly state: Stopping }, context: Context): Step {
  const { now } = context;
  if (now < state.deadline) return go(model, state, timer(state.deadline));
  switch (state.phase) {
    case 'leaving':
      return askToEnd(model, state.run, state.goal, context, state.exit);
    case 'asked': {
      const deadline = now + killPatienceMs;
      const next: Stopping = { ...state, phase: 'killing', deadline, killed: state.exit === null };
      return go(model, next, { do: 'kill' }, timer(deadline));
    }
    case 'killing':
      return go(model, state, { do: 'kill' }, { do: 'survey' }, timer(now + killPatienceMs));
  }
}

function becomeStuck(model: Model, state: Stopping, pids: readonly number[], now: number): Step {
  return go(
    model,
    { name: 'stuck', run: state.run, goal: state.goal, exit: state.exit, pids },
    timer(now + stuckLookMs),
  );
}

/** Nothing lives any more after all. */
function unstick(model: Model, { run, goal, exit }: Named<'stuck'>, context: Context): Step {
  const deadline = context.now + killPatienceMs;
  const state: Stopping = {
    name: 'stopping',
    run,
    phase: 'killing',
    deadline,
    goal,
    exit,
    treeIsEmpty: true,
    killed: true,
  };
  const next = finishIfDone(model, state, context);
  return next.model.state.name === 'stopping' ? { ...next, effects: [...next.effects, timer(deadline)] } : next;
}

function killAgain(model: Model, state: Named<'stuck'>, { now }: Context): Step {
  const deadline = now + killPatienceMs;
  const next: Stopping = {
    name: 'stopping',
    run: state.run,
    phase: 'killing',
    deadline,
    goal: state.goal,
    exit: state.exit,
    treeIsEmpty: false,
    killed: true,
  };
  return go(model, next, { do: 'kill' }, timer(deadline));
}

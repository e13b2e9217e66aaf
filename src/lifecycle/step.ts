/**
 * The one function that decides: `step(model, event, context) → {model, effects}`. No clock, no I/O, no promise.
 *
 * Theory of operation. A run goes (waiting →) starting → running → (its main program ends or is asked to) stopping → what its goal says. `stopping` is left
 * only when the main program's end is known AND nothing of its tree is alive: so there are never two runs of one instance, and `stopped` is never said of
 * something that lives. A tree that outlives SIGKILL makes the instance `stuck`, which is left by the same door. Stop wins over every
 * pending start. Every state × event cell is written; the table does not compile with one missing.
 *
 * Every launch goes through `launch`, which asks whose turn it is. What stead ends by itself (not ready, not well, too long) has a `cause`, and counts
 * as a failure.
 */
import { backoffMs } from './backoff.ts';
import type {
  Asker,
  Cause,
  Context,
  Effect,
  Event,
  Exit,
  Goal,
  Model,
  Starting,
  State,
  Step,
  Stopping,
} from './state.ts';
import { stopSteps } from './stop-steps.ts';
import { exitInWords, settingInWords } from './words.ts';

/** How long after SIGKILL something may still be alive before it is called stuck. */
export const killPatienceMs = 2000;
/** How often a stuck tree is looked at. */
export const stuckLookMs = 5000;
/** Runs of a schedule that may wait. */
const mostQueued = 1000;

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

/** A start that a person asked for: earlier crashes are forgotten. A job with a schedule waits for its time. */
function startAfresh(model: Model, by: Asker, context: Context): Step {
  const fresh = { ...model, streak: 0, recent: [] };
  if (isScheduledJob(context)) return awaitTime(fresh, '', context);
  return launch(fresh, context, { by });
}

const isScheduledJob = ({ spec }: Context): boolean => spec.kind === 'job' && spec.schedule !== null;

function awaitTime(model: Model, reason: string, context: Context): Step {
  if (model.queued > 0) return launch({ ...model, queued: model.queued - 1 }, context, { by: 'daemon' });
  return go(model, { name: 'waiting', for: 'time', reason, isBlocked: false, by: 'daemon', isRestart: false }, noTimer);
}

/** Now, or when it is its turn. */
function launch(
  model: Model,
  context: Context,
  { by, isRestart = false }: { readonly by: Asker; readonly isRestart?: boolean },
): Step {
  const { now, turn } = context;
  if (turn !== null) return go(model, { name: 'waiting', for: 'turn', ...turn, by, isRestart }, noTimer);
  if (awaitsConnection(context)) return awaitConnection(model, isRestart);
  const run = Math.max(model.run + 1, context.nextRun);
  const counted = isRestart ? countRestart(model, context) : model;
  const state: Starting = { name: 'starting', run, since: now, by, isLaunched: false, deadline: null };
  return go({ ...counted, run }, state, noTimer, { do: 'launch', run });
}

const awaitsConnection = ({ spec, role, hasConnection }: Context): boolean =>
  spec.share.onDemand && role === 'main' && !hasConnection;

/** It is held ready for by its sockets, and costs nothing. */
const awaitConnection = (model: Model, isRestart = false): Step =>
  go(
    model,
    { name: 'waiting', for: 'connection', reason: 'waits for a connection', isBlocked: false, by: 'daemon', isRestart },
    noTimer,
    { do: 'watchConnections' },
  );

function countRestart(model: Model, { spec, now }: Context): Model {
  const recent = spec.restartWindowMs === null ? [] : [...within(model, spec.restartWindowMs, now), now];
  return { ...model, restarts: model.restarts + 1, streak: model.streak + 1, recent };
}

const within = ({ recent }: Model, windowMs: number, now: number): readonly number[] =>
  recent.filter((at) => at > now - windowMs && at <= now);

interface EndOptions {
  readonly exit?: Exit | null;
  readonly cause?: Cause | null;
}

/** Asks the tree of a run to end: by the first step of its sequence, or by the first signal if the main program has ended. */
function askToEnd(
  model: Model,
  run: number,
  goal: Goal,
  context: Context,
  { exit = null, cause = null }: EndOptions = {},
): Step {
  const drains = exit === null && context.canDrain && (goal === 'retire' || goal === 'await');
  const steps = stopSteps(context.spec, { drains });
  const first = exit === null ? 0 : steps.findIndex(({ effect }) => effect.do === 'signal');
  const { effect, waitMs } = steps[first]!;
  const deadline = context.now + waitMs;
  return go(model, stopping({ run, goal, exit, cause, deadline, drains, step: first }), effect, timer(deadline));
}

const stopping = (some: Pick<Stopping, 'run' | 'goal' | 'deadline'> & Partial<Stopping>): Stopping => ({
  name: 'stopping',
  phase: 'asked',
  drains: false,
  step: 0,
  exit: null,
  treeIsEmpty: false,
  killed: false,
  cause: null,
  ...some,
});

/** Stops what is being launched: fenced if there is time, else ended as soon as it is there. */
function stopLaunch(model: Model, state: Starting, goal: Goal, context: Context, cause: Cause | null = null): Step {
  if (state.isLaunched) return askToEnd(model, state.run, goal, context, { cause });
  const deadline = context.now + context.spec.stopTimeoutMs;
  return go(
    model,
    stopping({ run: state.run, goal, deadline, cause }),
    { do: 'fence', run: state.run },
    timer(deadline),
  );
}

/** The main program ended by itself: what it left behind goes before anything else happens. */
function ended(model: Model, exit: Exit, context: Context): Step {
  const { spec, now } = context;
  if (spec.kind !== 'job') return askToEnd(model, exit.run, 'policy', context, { exit });
  if (spec.keepTree) return afterExit(model, exit, null, context);
  const deadline = now + spec.leaveTimeoutMs;
  const state = stopping({ run: exit.run, phase: 'leaving', deadline, goal: 'policy', exit });
  return go(model, state, timer(deadline), { do: 'watchTree' });
}

/** The tree is empty and the main program's end is known: what now. */
function finish(
  model: Model,
  { goal, exit, cause }: { readonly goal: Goal; readonly exit: Exit | null; readonly cause: Cause | null },
  context: Context,
  how = '',
): Step {
  switch (goal) {
    case 'start':
      return launch({ ...model, streak: 0, recent: [] }, context, { by: 'user' });
    case 'delete':
      return go(model, { name: 'stopped', reason: 'deleted' }, noTimer, { do: 'forget' });
    case 'retire':
      return retireAtOnce({ model });
    case 'await':
      return launch(model, context, { by: 'daemon' });
    case 'stay':
      return go(
        { ...model, queued: 0 },
        { name: 'stopped', reason: `stopped on request${how || (exit === null ? '' : `: ${exitInWords(exit)}`)}` },
        noTimer,
      );
    case 'policy':
      return exit === null && cause === null
        ? fail(model, 'never ran', context)
        : afterExit(model, exit, cause, context);
  }
}

function finishIfDone(model: Model, state: Stopping, context: Context): Step {
  if (!state.treeIsEmpty || state.exit === null) return go(model, state);
  return finish(model, state, context, state.killed ? `: ${killedInWords(context, state.drains)}` : '');
}

function killedInWords({ spec }: Context, drains: boolean): string {
  const waited = stopSteps(spec, { drains }).reduce((sum, { waitMs }) => sum + waitMs, 0);
  const signals = spec.stopSignals.map(({ signal }) => signal).join(', ');
  return `killed after ${settingInWords(waited)}, as it did not end on ${signals}`;
}

/** The restart policy. */
function afterExit(model: Model, exit: Exit | null, cause: Cause | null, context: Context): Step {
  const { spec } = context;
  const reason = cause?.reason ?? exitInWords(exit!);
  if (cause?.isFinal) return fail(model, reason, context, true);
  // It had one chance: the run whose place it was to take serves on.
  if (context.role === 'candidate') return fail(model, reason, context);
  const isSuccess = cause === null && exit!.code === 0 && !exit!.ambiguous;
  if (isSuccess && isScheduledJob(context)) return awaitTime({ ...model, streak: 0, recent: [] }, reason, context);
  const isEnd = cause === null && isStopExit(exit!, spec.stopExitCodes);
  if (isEnd || (isSuccess && spec.restart !== 'always')) return go(model, { name: 'completed', reason }, noTimer);
  if (spec.restart === 'no') return fail(model, reason, context);
  const upMs = exit?.upMs ?? null;
  const isStable = upMs !== null && upMs >= spec.stableAfterMs && cause === null;
  return again(isStable ? { ...model, streak: 0 } : model, reason, context);
}

/** A signal is none of the exit codes 128+n, and what can't be told apart is neither. */
const isStopExit = ({ code, signal, ambiguous }: Exit, wanted: readonly (number | string)[]): boolean =>
  ambiguous
    ? code !== null && signal !== null && wanted.includes(code) && wanted.includes(signal)
    : wanted.includes(signal ?? code ?? -1);

/** Not tried again, except after `retryFailedAfterMs`; a job with a schedule waits for its next time. */
function fail(model: Model, reason: string, context: Context, isLate = false): Step {
  const { spec, now } = context;
  if (isScheduledJob(context)) return awaitTime({ ...model, streak: 0, recent: [] }, reason, context);
  const until = spec.retryFailedAfterMs === null || context.role === 'candidate' ? null : now + spec.retryFailedAfterMs;
  return go(model, { name: 'failed', reason, until, isLate }, until === null ? noTimer : timer(until));
}

/** The next automatic start: at once, after the back-off, or never. */
function again(model: Model, reason: string, context: Context): Step {
  const { spec, now, random, crashDelayMs, role } = context;
  if (role === 'candidate') return fail(model, reason, context);
  const { maxRestarts: most, restartWindowMs: window } = spec;
  const count = window === null ? model.streak : within(model, window, now).length;
  if (most !== null && count >= most) {
    const when = window === null ? 'in a row' : `within ${settingInWords(window)}`;
    return fail(model, `${reason}; gave up after ${count} restarts ${when} (max_restarts)`, context);
  }
  const delay = Math.max(backoffMs(model.streak, random, spec.backoff), crashDelayMs);
  if (delay === 0) return launch(model, context, { by: 'daemon', isRestart: true });
  return go(model, { name: 'backoff', until: now + delay, reason }, timer(now + delay));
}

const forgetAtOnce = ({ model }: { readonly model: Model }): Step =>
  go(model, { name: 'stopped', reason: 'deleted' }, noTimer, { do: 'forget' });

const retireAtOnce = ({ model }: { readonly model: Model }): Step =>
  go(model, { name: 'stopped', reason: 'replaced' }, noTimer, { do: 'retired' });

/** The end of what is not alive; null for a stop that leaves it as it is. */
const endAtOnce = ({ model, goal }: { readonly model: Model; readonly goal: StopEvent['goal'] }): Step | null =>
  goal === 'delete' ? forgetAtOnce({ model }) : goal === 'retire' ? retireAtOnce({ model }) : null;

const withoutCounts = (model: Model): Model => ({ ...model, restarts: 0, streak: 0, recent: [] });
const resetCounters = ({ model }: { readonly model: Model }): Step => ({ model: withoutCounts(model), effects: [] });

/** A time that comes while nothing runs and none is waited for: noted, nothing more. */
const noteTick = ({ model, event }: { readonly model: Model; readonly event: { readonly at: number } }): Step => ({
  model: { ...model, lastTick: event.at },
  effects: [],
});

type StopEvent = Extract<Event, { type: 'stop' }>;

/** Rows of the states in which nothing of the instance is alive. */
const restRow = {
  start: (
    { model, event }: { readonly model: Model; readonly event: { readonly by: Asker } },
    context: Context,
  ): Step => startAfresh(model, event.by, context),
  restart: ({ model }: { readonly model: Model }, context: Context): Step =>
    launch({ ...model, streak: 0, recent: [] }, context, { by: 'user' }),
  stop: ({ model, event }: { readonly model: Model; readonly event: StopEvent }): Step =>
    endAtOnce({ model, goal: event.goal }) ?? stay({ model }),
  reset: resetCounters,
  launched: stay,
  launchFailed: stay,
  ready: stay,
  extend: stay,
  unwell: stay,
  notAsked: stay,
  turn: stay,
  tick: noteTick,
  connection: stay,
  idle: stay,
  exited: stay,
  treeEmptied: stay,
  treeAlive: stay,
  due: stay,
} as const;

/** What ends a wait for a start. */
const stopWaiting =
  (while_: string) =>
  ({ model, state, event }: { model: Model; state: { readonly reason: string }; event: StopEvent }): Step =>
    endAtOnce({ model, goal: event.goal }) ??
    go(
      { ...model, queued: 0 },
      {
        name: 'stopped',
        reason: `stopped on request while waiting ${while_}${state.reason && `: ${state.reason}`}`,
      },
      noTimer,
    );

/** A later wish changes what follows, except that nothing undoes a `delete`, and what retires has no place to come back to. */
const wish = (goal: Goal, wanted: Goal): Goal => (goal === 'delete' || goal === 'retire' ? goal : wanted);

const stopCompletely = (
  { model, state, event }: { model: Model; state: Stopping; event: StopEvent },
  context: Context,
): Step => {
  const next: Stopping = { ...state, goal: wish(state.goal, event.goal) };
  // What a job left behind had time; a stop takes it away.
  if (state.phase === 'leaving') return askToEnd(model, state.run, next.goal, context, state);
  // So had what is being answered.
  const isDraining = state.phase === 'asked' && state.drains && state.step === 0 && event.goal !== 'retire';
  return isDraining ? nextStep(model, next, context) : go(model, next);
};

/** A time of the schedule comes while a run goes on. An app is restarted. */
function tickWhileUp(
  { model, event }: { readonly model: Model; readonly event: { readonly at: number } },
  context: Context,
  replace: (model: Model) => Step,
): Step {
  const { spec } = context;
  const ticked = { ...model, lastTick: event.at };
  const overlap = spec.kind === 'app' ? 'replace' : spec.schedule?.overlap;
  if (overlap === 'replace') return replace(ticked);
  const queued = overlap === 'queue' ? Math.min(mostQueued, model.queued + 1) : model.queued;
  return { model: { ...ticked, queued }, effects: [] };
}

/** Launched and ready. */
function becomeRunning(model: Model, run: number, { spec, now }: Context): Step {
  const until = spec.timeoutMs === null ? null : now + spec.timeoutMs;
  const state: State = { name: 'running', run, since: now, until };
  return go(model, state, until === null ? noTimer : timer(until), { do: 'watchHealth', run });
}

function becomeLaunched(model: Model, state: Starting, context: Context): Step {
  const { spec, now, ready } = context;
  if (ready === null) return becomeRunning(model, state.run, context);
  const deadline = now + spec.readyTimeoutMs;
  return go(model, { ...state, isLaunched: true, deadline }, timer(deadline), { do: 'watchReady', run: state.run });
}

/** Not ready in time. What a person asked for has failed; what the daemon tries by itself it goes on trying. */
function notReady(model: Model, state: Starting, context: Context): Step {
  const { spec, ready } = context;
  const reason = `not ready within ${settingInWords(spec.readyTimeoutMs)}${ready === null ? '' : ` (${checkInWords(ready)})`}`;
  return askToEnd(model, state.run, 'policy', context, { cause: { reason, isFinal: state.by === 'user' } });
}

const checkInWords = (check: NonNullable<Context['spec']['ready']>): string => {
  switch (check.kind) {
    case 'port':
      return `port ${check.port}`;
    case 'http':
      return check.url;
    case 'exec':
      return check.command;
    case 'log':
      return `a log line that matches ${check.pattern}`;
    case 'fd':
      return `a newline on fd ${check.fd}`;
    case 'ipc':
      return "process.send('ready')";
    case 'notify':
      return 'READY=1';
    case 'listen':
      return 'listening on what it shares';
  }
};

const table: Table = {
  stopped: restRow,
  completed: {
    ...restRow,
  },
  failed: {
    ...restRow,
    stop: ({ model, state, event }) =>
      endAtOnce({ model, goal: event.goal }) ?? go(model, { name: 'stopped', reason: state.reason }, noTimer),
    reset: ({ model, state }) => go(withoutCounts(model), { name: 'stopped', reason: state.reason }, noTimer),
    tick: ({ model, event }, context) =>
      launch({ ...model, streak: 0, recent: [], lastTick: event.at }, context, { by: 'daemon' }),
    due: ({ model, state }, context) => {
      if (state.until === null) return stay({ model });
      if (context.now < state.until) return go(model, state, timer(state.until));
      return launch({ ...model, streak: 0, recent: [] }, context, { by: 'daemon', isRestart: true });
    },
  },
  backoff: {
    ...restRow,
    stop: stopWaiting('to restart'),
    tick: ({ model, event }, context) =>
      context.spec.kind === 'app'
        ? launch({ ...model, lastTick: event.at }, context, { by: 'daemon' })
        : tickWhileUp({ model, event }, context, (ticked) => launch(ticked, context, { by: 'daemon' })),
    due: ({ model, state }, context) =>
      context.now >= state.until
        ? launch(model, context, { by: 'daemon', isRestart: true })
        : go(model, state, timer(state.until)),
  },
  waiting: {
    ...restRow,
    start: ({ model, state, event }, context) =>
      state.for === 'time' ? stay({ model }) : launch(model, context, { by: event.by, isRestart: state.isRestart }),
    stop: stopWaiting('to start'),
    connection: ({ model, state }, context) =>
      state.for === 'connection' ? launch(model, context, state) : stay({ model }),
    turn: ({ model, state }, context) => {
      if (state.for !== 'turn') return stay({ model });
      const { turn } = context;
      const isSame = turn !== null && turn.reason === state.reason && turn.isBlocked === state.isBlocked;
      return isSame ? stay({ model }) : launch(model, context, state);
    },
    tick: ({ model, state, event }, context) =>
      state.for === 'time'
        ? launch({ ...model, lastTick: event.at }, context, { by: 'daemon' })
        : tickWhileUp({ model, event }, context, (ticked) => ({ model: ticked, effects: [] })),
  },
  starting: {
    start: stay,
    stop: ({ model, state, event }, context) => stopLaunch(model, state, event.goal, context),
    restart: ({ model, state }, context) => stopLaunch(model, state, 'start', context),
    reset: resetCounters,
    launched: ({ model, state, event }, context) =>
      event.run === state.run && !state.isLaunched ? becomeLaunched(model, state, context) : stay({ model }),
    launchFailed: ({ model, state, event }, context) => {
      if (event.run !== state.run) return stay({ model });
      return event.retry ? retryLaunch(model, event.reason, context) : fail(model, event.reason, context);
    },
    ready: ({ model, state, event }, context) =>
      event.run === state.run && state.isLaunched ? becomeRunning(model, state.run, context) : stay({ model }),
    extend: ({ model, state, event }, { now }) => {
      if (event.run !== state.run || state.deadline === null) return stay({ model });
      const deadline = Math.max(state.deadline, now + event.ms);
      return go(model, { ...state, deadline }, timer(deadline));
    },
    unwell: ({ model, state, event }, context) =>
      event.run === state.run
        ? stopLaunch(model, state, 'policy', context, { reason: event.reason, isFinal: false })
        : stay({ model }),
    notAsked: stay,
    turn: stay,
    tick: ({ model, state, event }, context) =>
      tickWhileUp({ model, event }, context, (ticked) =>
        // An app that is just starting is as good as restarted.
        context.spec.kind === 'app' ? { model: ticked, effects: [] } : stopLaunch(ticked, state, 'start', context),
      ),
    exited: ({ model, state, event }, context) =>
      event.exit.run === state.run ? ended(model, event.exit, context) : stay({ model }),
    connection: stay,
    idle: stay,
    treeEmptied: stay,
    treeAlive: stay,
    due: ({ model, state }, context) => {
      if (state.deadline === null) return stay({ model });
      return context.now < state.deadline ? go(model, state, timer(state.deadline)) : notReady(model, state, context);
    },
  },
  running: {
    start: stay,
    stop: ({ model, state, event }, context) => askToEnd(model, state.run, event.goal, context),
    restart: ({ model, state }, context) => askToEnd(model, state.run, 'start', context),
    reset: resetCounters,
    launched: stay,
    launchFailed: stay,
    ready: stay,
    extend: stay,
    unwell: ({ model, state, event }, context) =>
      event.run === state.run
        ? askToEnd(model, state.run, 'policy', context, { cause: { reason: event.reason, isFinal: false } })
        : stay({ model }),
    notAsked: stay,
    turn: stay,
    tick: ({ model, state, event }, context) =>
      tickWhileUp({ model, event }, context, (ticked) =>
        askToEnd(ticked, state.run, 'start', context, { cause: { reason: 'its schedule (cron)', isFinal: false } }),
      ),
    exited: ({ model, state, event }, context) =>
      event.exit.run === state.run ? ended(model, event.exit, context) : stay({ model }),
    connection: stay,
    idle: ({ model, state, event }, context) =>
      event.run === state.run
        ? askToEnd(model, state.run, 'await', context, { cause: { reason: 'idle', isFinal: false } })
        : stay({ model }),
    treeEmptied: stay,
    treeAlive: stay,
    due: ({ model, state }, context) => {
      if (state.until === null) return stay({ model });
      if (context.now < state.until) return go(model, state, timer(state.until));
      const reason = `timed out after ${settingInWords(context.spec.timeoutMs ?? 0)}`;
      return askToEnd(model, state.run, 'policy', context, { cause: { reason, isFinal: false } });
    },
  },
  stopping: {
    start: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    stop: stopCompletely,
    restart: ({ model, state }) => go(model, { ...state, goal: wish(state.goal, 'start') }),
    reset: resetCounters,
    // Too late for the fence: it runs, so it is told to end.
    launched: ({ model, state, event }, { spec }) =>
      event.run === state.run && state.exit === null
        ? go(model, { ...state, treeIsEmpty: false }, { do: 'signal', signal: spec.stopSignals[0]!.signal })
        : stay({ model }),
    // What has ended did run, and what it left may live.
    launchFailed: ({ model, state, event }, context) =>
      event.run === state.run && state.exit === null
        ? finish(model, state, context, ' before it ran')
        : stay({ model }),
    ready: stay,
    extend: ({ model, state, event }, { now }) => {
      if (event.run !== state.run || state.phase !== 'asked') return stay({ model });
      const deadline = Math.max(state.deadline, now + event.ms);
      return go(model, { ...state, deadline }, timer(deadline));
    },
    unwell: stay,
    notAsked: ({ model, state, event }, context) => {
      const isAsking = state.phase === 'asked' && stopSteps(context.spec, state)[state.step]?.effect.do === 'ask';
      return event.run === state.run && isAsking ? nextStep(model, state, context) : stay({ model });
    },
    turn: stay,
    tick: ({ model, state, event }, context) =>
      state.goal === 'policy'
        ? tickWhileUp({ model, event }, context, (ticked) => go(ticked, { ...state, goal: 'start' }))
        : noteTick({ model, event }),
    connection: stay,
    idle: stay,
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
    ready: stay,
    extend: stay,
    unwell: stay,
    notAsked: stay,
    turn: stay,
    tick: noteTick,
    connection: stay,
    idle: stay,
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
      return askToEnd(model, state.run, state.goal, context, state);
    case 'asked':
      return nextStep(model, state, context);
    case 'killing':
      return go(model, state, { do: 'kill' }, { do: 'survey' }, timer(now + killPatienceMs));
  }
}

/** Of the stop sequence; SIGKILL after the last. */
function nextStep(model: Model, state: Stopping, { now, spec }: Context): Step {
  const step = state.step + 1;
  const next = stopSteps(spec, state)[step];
  if (next === undefined) return killNow(model, state, now);
  const deadline = now + next.waitMs;
  return go(model, { ...state, step, deadline }, next.effect, timer(deadline));
}

function killNow(model: Model, state: Stopping, now: number): Step {
  const deadline = now + killPatienceMs;
  const next: Stopping = { ...state, phase: 'killing', deadline, killed: state.exit === null };
  return go(model, next, { do: 'kill' }, timer(deadline));
}

function becomeStuck(model: Model, { run, goal, exit, cause }: Stopping, pids: readonly number[], now: number): Step {
  return go(model, { name: 'stuck', run, goal, exit, cause, pids }, timer(now + stuckLookMs));
}

/** Nothing lives any more after all. */
function unstick(model: Model, { run, goal, exit, cause }: Named<'stuck'>, context: Context): Step {
  const deadline = context.now + killPatienceMs;
  const state = stopping({ run, phase: 'killing', deadline, goal, exit, cause, treeIsEmpty: true, killed: true });
  const next = finishIfDone(model, state, context);
  return next.model.state.name === 'stopping' ? { ...next, effects: [...next.effects, timer(deadline)] } : next;
}

function killAgain(model: Model, { run, goal, exit, cause }: Named<'stuck'>, { now }: Context): Step {
  const deadline = now + killPatienceMs;
  const next = stopping({ run, phase: 'killing', deadline, goal, exit, cause, killed: true });
  return go(model, next, { do: 'kill' }, timer(deadline));
}

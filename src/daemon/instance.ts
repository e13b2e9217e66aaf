/**
 * One instance: holds the automaton's model, feeds it events, carries out its effects. Events are handled one at a time, in order; an effect
 * may post further events, which wait for their turn.
 */

import { oomKills } from '../host/cgroup.ts';
import { monotonicMs, wallMs } from '../host/clock.ts';
import { isAlive, type ProcessId } from '../host/process.ts';
import { fenceRun, type LogStart, type RunRecord, readLogStart, recordSuccessor } from '../launcher/records.ts';
import { RunWatch } from '../launcher/run-watch.ts';
import { happenings } from '../lifecycle/happenings.ts';
import type { Context, Effect, Event, Model, Role } from '../lifecycle/state.ts';
import { step } from '../lifecycle/step.ts';
import { sizeInWords } from '../lifecycle/words.ts';
import type { ExitView } from '../protocol/api.ts';
import { appendExit, type StoredInstance } from '../storage/apps.ts';
import { runDirectory } from '../storage/layout.ts';
import type { App } from './app.ts';
import { askToEnd } from './ask-to-end.ts';
import { exitOfRecord, unknownAt } from './exits.ts';
import { watchHealth } from './health.ts';
import { launchRun } from './launch-run.ts';
import { Notify, usesNotify } from './notify.ts';
import { removeReach } from './reach.ts';
import { type Watching, watchReadiness } from './readiness.ts';
import { executableOf } from './same-program.ts';
import { successorOf } from './successor.ts';
import { sessionName } from './terminals/terminals.ts';
import { Tree } from './tree.ts';
import { turnOf } from './turns.ts';

/** Longer delays overflow setTimeout; the timer is armed again on waking. */
const longestTimerMs = 2 ** 31 - 1;

/** From the run record to the program's exec: two or three executions on the way. */
const execMs = 20;

export class Instance {
  readonly app: App;
  readonly index: number;
  /** Which of the runs of its index that are there at the same time. */
  readonly lane: number;
  role: Role;
  /** The app's name at the launch of the run that is under way; null where it is the same. */
  #launchedAs: string | null;
  program: ProcessId | null = null;
  launcher: ProcessId | null = null;
  lastExit: ExitView | null = null;
  /** The file that the program executes; null until known. */
  executable: string | null = null;
  #executableTimer: NodeJS.Timeout | null = null;
  /** The program of this run put itself in the background: its exit code will be unknown. */
  wentBackground = false;
  logStart: LogStart = { out: 0, err: 0 };
  /** Where the logs stood when the run of `lastExit` began. */
  endedLogStart: LogStart = { out: 0, err: 0 };
  /** Who wanted this run, or its end, where it was not who wants the app: a reload, a scale. */
  askedBy: string | null = null;
  #model: Model;
  #sinceWall: number;
  #watch: RunWatch | null = null;
  #timer: NodeJS.Timeout | null = null;
  #queue: Event[] = [];
  #busy = false;
  #tree: Tree | null = null;
  /** What is watched of the run that is under way: whether it is ready, or well. */
  #watching: Watching | null = null;
  #notify: Notify | null = null;
  /** The main program by its own word (`MAINPID=`), for when it puts itself in the background. */
  #namedMain: ProcessId | null = null;
  /** Replaced, never changed: an empty list takes no memory, and most apps have one. */
  #listeners: readonly (() => void)[] = [];

  constructor(app: App, stored: StoredInstance<Model>) {
    this.app = app;
    this.index = stored.index;
    this.lane = stored.lane;
    this.role = stored.role;
    this.#launchedAs = stored.launchedAs ?? null;
    this.#model = stored.model;
    this.#sinceWall = stored.sinceWall;
  }

  get model(): Model {
    return this.#model;
  }
  get sinceWall(): number {
    return this.#sinceWall;
  }
  /** Who wanted last what is done with it. */
  get by(): string {
    return this.askedBy ?? (this.role === 'main' ? this.app.by : (this.app.rollout?.by ?? this.app.by));
  }
  /** Names it within the daemon. */
  get key(): string {
    return `${this.nameAtLaunch}.${this.index}${this.lane === 0 ? '' : `+${this.lane}`}`;
  }
  /** By which the run under way knows its app: its marks, its cgroup. */
  get nameAtLaunch(): string {
    return this.#launchedAs ?? this.app.name;
  }
  /** What marks the environment of everything that a run starts. */
  cookie(run = this.#model.run): string {
    return `${this.app.daemon.homeId}.${this.nameAtLaunch}.${this.index}.${run}`;
  }
  runDirectory(run = this.#model.run): string {
    return runDirectory(this.app.daemon.home, this.app.name, this.index, run);
  }
  /** It was launched just now: what it forked may be where launchers are. */
  get mayHaveStrays(): boolean {
    return ['starting', 'running', 'stopping'].includes(this.#model.state.name) && this.#tree?.isEnclosed !== true;
  }
  get tree(): Tree {
    this.#tree ??= new Tree(this);
    return this.#tree;
  }

  stored(): StoredInstance<Model> {
    return {
      index: this.index,
      role: this.role,
      lane: this.lane,
      model: this.#model,
      sinceWall: this.#sinceWall,
      ...(this.#launchedAs !== null && { launchedAs: this.#launchedAs }),
    };
  }

  /** Puts another model in its place: only before anything was dispatched. */
  restore(model: Model): void {
    this.#model = model;
  }

  dispatch(event: Event): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#apply(next);
      // The old one keeps room for those that it had.
      this.#queue = [];
    } finally {
      this.#busy = false;
    }
    this.#notifyListeners();
  }

  /** Resolves when the condition holds, looked at after each change; rejects when aborted. */
  async until(condition: (instance: Instance) => boolean, signal?: AbortSignal): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        this.#listeners = this.#listeners.filter((listener) => listener !== look);
        signal?.removeEventListener('abort', abort);
      };
      const look = () => {
        if (!condition(this)) return;
        done();
        resolve();
      };
      const abort = () => {
        done();
        reject(signal?.reason);
      };
      this.#listeners = [...this.#listeners, look];
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Takes up a run that is on record, launched by this daemon's predecessor. */
  adoptRun(): void {
    this.logStart = readLogStart(this.runDirectory());
    this.endedLogStart = this.logStart;
    this.#watchRun().adopt();
  }

  /** Arms what a state loaded from disk waits for. */
  resume(): void {
    const { state } = this.#model;
    if ('run' in state && usesNotify(this.app.spec) && this.launcher !== null) {
      this.#notify = new Notify(this, state.run);
      this.#notify.takeBack();
    }
    if (state.name === 'backoff' || (state.name === 'failed' && state.until !== null)) this.#arm(state.until);
    if (state.name === 'starting' && state.isLaunched) {
      this.#arm(state.deadline);
      this.#watchReady(state.run);
    }
    if (state.name === 'running') {
      this.#arm(state.until);
      this.#watchHealth(state.run);
    }
    if (this.role !== 'retiring') this.app.daemon.turns.changed(this);
    this.app.daemon.logs.add(this);
    if (this.role === 'main') {
      this.app.daemon.scheduler.add(this, this.#model.lastTick || Date.parse(this.app.createdAt));
    }
    if ('run' in state) this.app.sharing?.follow(this);
    this.app.daemon.watching.follow(this.app);
    if (state.name === 'waiting' && state.for === 'connection') this.app.sharing?.onDemand.watch();
    if (state.name === 'stuck') this.#arm(monotonicMs());
    if (state.name === 'stopping') {
      this.#arm(state.deadline);
      if (state.exit !== null) this.tree.watch();
    }
  }

  /** Its app has another spec, or it has another role: its schedule and whose turn it is may be others. Of two runs of one index one is followed. */
  specChanged(): void {
    const { scheduler, turns, logs, watching } = this.app.daemon;
    watching.look(this.app);
    if (this.role === 'main') scheduler.add(this, wallMs());
    else scheduler.remove(this);
    logs.add(this);
    turns.lookAgain();
  }

  /** Its app gets another name: what runs keeps that of its launch. */
  keepName(name: string): void {
    if ('run' in this.#model.state) this.#launchedAs ??= name;
  }

  /** It has. */
  renamed(): void {
    this.#watch?.movedTo(this.runDirectory());
    this.specChanged();
  }

  #forgetName(): void {
    if (this.#launchedAs === null) return;
    this.#launchedAs = null;
    this.app.dropFormerNames();
  }

  /** What somebody waits for may have come, though the state is the same. */
  wake(): void {
    this.#notifyListeners();
  }

  close(): void {
    this.app.daemon.cpu.forget(this.key);
    this.app.daemon.scheduler.remove(this);
    this.#watching?.close();
    this.#notify?.remove();
    this.#watch?.close();
    this.#watch = null;
    this.#tree?.close();
    this.app.daemon.logs.remove(this);
    this.app.daemon.terminals.forget(sessionName(this));
    this.app.sharing?.tellings.forget(this);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#executableTimer) clearTimeout(this.#executableTimer);
    this.#notifyListeners();
  }

  #notifyListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  #apply(event: Event): void {
    const { daemon } = this.app;
    const before = this.#model;
    const context = this.#context();
    const next = step(before, event, context);
    this.#model = next.model;
    const isOther = next.model.state.name !== before.state.name;
    if (isOther) {
      this.#sinceWall = wallMs();
      this.#watching?.close();
      this.#watching = null;
    }
    if (next.model !== before) this.app.persist();
    if (next.model.state.name === 'backoff' && isOther) daemon.crashes.take(context.now);
    for (const effect of next.effects) this.#perform(effect);
    if (isOther || before.state !== next.model.state) daemon.turns.changed(this);
    if (isOther) this.app.sharing?.changed();
    if (isOther && !('run' in next.model.state)) this.#forgetName();
    if (isOther && this.app.spec.tty !== null) daemon.terminals.follow(this);
    for (const happening of happenings(before, event, next.model)) daemon.tell(this, happening);
  }

  /** What the program says of itself; null if it says nothing. */
  get statusText(): string | null {
    return this.#notify?.status ?? null;
  }

  /** Makes the socket to which the program of this run will speak. */
  openNotify(run: number): number {
    this.#notify?.close();
    this.#notify = new Notify(this, run);
    return this.#notify.open();
  }

  /** The program says which process is its main one: believed if it is of this tree. */
  nameMain(pid: number): void {
    this.#namedMain = this.tree.members().find((member) => member.pid === pid) ?? this.#namedMain;
  }

  /** What costs something to find out is found out when it is asked for. */
  #context(): Context {
    const { spec, daemon } = this.app;
    const now = monotonicMs();
    const turn = () => turnOf(this);
    const { role, app } = this;
    return {
      spec,
      now,
      random: Math.random(),
      role,
      nextRun: app.nextRun(this.index),
      canDrain: app.sharing?.hasPreload === true,
      ready: spec.ready ?? (role === 'candidate' && app.sharing !== null ? { kind: 'listen' } : null),
      get hasConnection() {
        return app.sharing?.onDemand.hasConnection() === true;
      },
      get turn() {
        return turn();
      },
      get crashDelayMs() {
        return daemon.crashes.delayMs(now);
      },
    };
  }

  #watchReady(run: number): void {
    this.#watching?.close();
    this.#watching = watchReadiness(this, run, () => this.dispatch({ type: 'ready', run }));
  }

  #watchHealth(run: number): void {
    this.#watching?.close();
    this.#watching = watchHealth(this, (reason) => this.dispatch({ type: 'unwell', run, reason }));
    this.#notify?.watch();
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'watchReady':
        this.#watchReady(effect.run);
        break;
      case 'watchHealth':
        this.#watchHealth(effect.run);
        break;
      case 'ask':
        askToEnd(this, effect.how);
        this.tree.watch();
        break;
      case 'launch':
        this.#launch(effect.run);
        break;
      case 'fence':
        this.#fence(effect.run);
        break;
      case 'signal':
        this.tree.signal(effect.signal);
        break;
      case 'kill':
        this.tree.kill();
        break;
      case 'watchTree':
        this.tree.watch();
        break;
      case 'survey':
        this.tree.survey();
        break;
      case 'timer':
        this.#arm(effect.at);
        break;
      case 'watchConnections':
        this.app.sharing?.onDemand.watch();
        break;
      case 'retired':
        this.app.drop(this);
        break;
      case 'forget':
        this.app.forgetIfOver();
        break;
    }
  }

  #launch(run: number): void {
    this.#forgetName();
    this.program = null;
    this.launcher = null;
    this.wentBackground = false;
    this.executable = null;
    if (this.#executableTimer) clearTimeout(this.#executableTimer);
    this.#notify?.close();
    this.#notify = null;
    this.#namedMain = null;
    this.#tree?.close();
    this.#tree = null;
    const failed = (error: unknown) => {
      this.#watch?.close();
      const { message } = error as Error;
      this.app.daemon.log(`${this.app.name}: launch failed: ${message}`);
      this.dispatch({ type: 'launchFailed', run, reason: message, retry: true });
    };
    try {
      launchRun(this, run, { watch: () => this.#watchRun(), failed });
    } catch (error) {
      failed(error);
    }
  }

  #watchRun(): RunWatch {
    this.#watch?.close();
    const { run } = this.#model;
    this.#watch = new RunWatch(this.runDirectory(run), {
      launched: (program, launcher) => {
        this.program = program;
        this.launcher = launcher;
        this.app.sharing?.follow(this);
        this.dispatch({ type: 'launched', run });
        void this.tree.enclose();
        this.#executableTimer = setTimeout(() => {
          this.#executableTimer = null;
          this.executable = executableOf(program.pid);
        }, execMs);
      },
      never: () => this.dispatch({ type: 'launchFailed', run, reason: unknownAt(this.runDirectory(run)), retry: true }),
      ended: (record, status) => this.#ended(run, record, status),
    });
    return this.#watch;
  }

  #ended(run: number, record: RunRecord, status: number | null): void {
    this.program = record.successor ?? record.program;
    this.launcher = record.launcher;
    const successor =
      record.successor === null && status === 0 ? (this.#namedSuccessor(record) ?? successorOf(this, record)) : null;
    if (successor !== null) {
      this.#succeed(run, successor);
      return;
    }
    const exit = exitOfRecord(this.runDirectory(run), {
      run,
      record,
      status,
      cause: this.#causeOfEnd(),
      oom: this.#oomInWords(),
    });
    if (this.lastExit?.run !== run) {
      this.lastExit = exit;
      this.endedLogStart = this.logStart;
      try {
        appendExit(this.app.daemon.home, this.app.name, this.index, exit);
      } catch (error) {
        this.app.daemon.log(`${this.app.name}: exit not written: ${(error as Error).message}`);
      }
    }
    this.#notify?.remove();
    this.#notify = null;
    removeReach(this, run);
    const { code, signal, ambiguous, upMs } = exit;
    this.dispatch({ type: 'exited', exit: { run, code, signal, ambiguous, upMs } });
  }

  /** Whom the program named as its main process, if that one lives on. */
  #namedSuccessor({ program }: RunRecord): ProcessId | null {
    const named = this.#namedMain;
    return named !== null && named.pid !== program?.pid && isAlive(named) && this.#model.state.name !== 'stopping'
      ? named
      : null;
  }

  /** Why stead ended the run that is under way; null if it ended by itself. */
  #causeOfEnd(): string | null {
    const { state } = this.#model;
    if ((state.name !== 'stopping' && state.name !== 'stuck') || state.exit !== null) return null;
    return state.cause?.reason ?? (state.goal === 'policy' ? null : this.by);
  }

  /** Whether the kernel's OOM killer had a hand in it: by the cgroup's own count, else by the machine's. */
  #oomInWords(): string {
    const { maxMemory } = this.app.spec;
    const cgroup = Tree.cgroupOf(this);
    const kills = cgroup === null ? null : oomKills(cgroup);
    if (kills !== null)
      return kills > 0
        ? `, the kernel's OOM killer${maxMemory === null ? '' : `; limit ${sizeInWords(maxMemory)} (max_memory)`}`
        : '';
    return this.app.daemon.oom.hasStruck()
      ? ", perhaps by the kernel's OOM killer: it struck on this machine just now"
      : '';
  }

  /** The program put itself in the background: what it left is the main program from now on. */
  #succeed(run: number, successor: ProcessId): void {
    this.app.daemon.log(`${this.app.name}: went into the background; pid ${successor.pid} is the main program now`);
    recordSuccessor(this.runDirectory(run), successor);
    this.program = successor;
    this.wentBackground = true;
    this.#watch?.follow(successor);
    if (this.#model.state.name === 'starting') this.dispatch({ type: 'launched', run });
    else this.#notifyListeners();
  }

  #fence(run: number): void {
    try {
      if (!fenceRun(this.runDirectory(run))) return;
    } catch (error) {
      this.app.daemon.log(`${this.app.name}: run ${run} not fenced: ${(error as Error).message}`);
      return;
    }
    this.#watch?.close();
    this.dispatch({ type: 'launchFailed', run, reason: 'stopped before it ran', retry: false });
  }

  #arm(at: number | null): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (at === null) return;
    const delay = Math.min(Math.max(0, Math.ceil(at - monotonicMs())), longestTimerMs);
    this.#timer = setTimeout(() => this.dispatch({ type: 'due' }), delay);
  }
}

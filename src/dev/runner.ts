/** Carries out what `step` decides: runs the program, ends it, starts it again. */
import { constants } from 'node:os';
import { signalProcess } from '../host/process.ts';
import { signalNumber } from '../host/signals.ts';
import { type EndSignal, endBy, endSignals } from './end-signals.ts';
import { Ending } from './ending.ts';
import { Gate } from './gate.ts';
import { GateWrites } from './gate-writes.ts';
import type { Hooks, Surroundings } from './hooks.ts';
import { keepTerminalMode } from './keep-mode.ts';
import { narrate, type Told } from './narrate.ts';
import { OwnWrites } from './own-writes.ts';
import { keepPlace } from './place.ts';
import { portsOfMembers, whenFree } from './port-free.ts';
import type { Launch } from './program.ts';
import { type Exit, notFoundCode, Run } from './run.ts';
import type { Settings } from './settings.ts';
import { openStdin, type Stdin } from './stdin.ts';
import { type Change, type Effect, type Event, firstModel, type Model, type Policy, step } from './step.ts';
import { gateWriteWords, ownWriteWords, type Teller } from './words.ts';

/** A run of that length has started well. */
const stableMs = 10_000;
/** Longer than somebody takes who saves again. */
const putOffMs = 2000;
export interface RunnerOptions {
  /** What the STEAD_RUN_ID of all that it starts begins with. */
  readonly id: string;
  readonly settings: Settings;
  /** null: not known before the gate has passed. */
  readonly launch: Launch | null;
  resolveLaunch(): Promise<Launch>;
  readonly surroundings: Surroundings;
  readonly teller: Teller;
  readonly hooks: Hooks;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #policy: Policy;
  readonly #restoreMode = keepTerminalMode();
  readonly #stdin: Stdin;
  readonly #handlers = new Map<EndSignal, () => void>();
  readonly #ownWrites: OwnWrites;
  readonly #isThere: () => boolean;
  #model: Model = firstModel;
  #launch: Launch | null;
  #runs = 0;
  #run: Run | null = null;
  #ending: Ending | null = null;
  readonly #gate: Gate | null;
  readonly #gateWrites = new GateWrites();
  #gateGone: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #putOffTimer: NodeJS.Timeout | null = null;
  /** What ends it, once something does. */
  #endSignal: EndSignal | null = null;
  #finish: (code: number) => void = () => {};
  /** The exit code. */
  readonly ended: Promise<number>;

  constructor(options: RunnerOptions) {
    const { settings } = options;
    this.#options = options;
    this.#launch = options.launch;
    this.#ownWrites = new OwnWrites(settings.cwd);
    this.#isThere = keepPlace(settings.cwd);
    for (const note of options.launch?.notes ?? []) options.teller.say(note);
    this.#policy = { ...settings, hasGate: settings.before !== null };
    this.#gate = settings.before === null ? null : this.#gateFor(settings.before);
    this.ended = new Promise((finish) => {
      this.#finish = finish;
    });
    for (const signal of endSignals) {
      const handler = () => this.#onSignal(signal);
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
    this.#stdin = openStdin(settings.restartWord, () => this.dispatch({ type: 'asked' }));
  }

  /** Where the word that restarts it is heard. */
  get hears(): Stdin['hears'] {
    return this.#stdin.hears;
  }

  /** The run that goes on now. */
  get run(): Run | null {
    return this.#run?.exit === null ? this.#run : null;
  }

  /** When the last run began, in milliseconds since the epoch; Infinity where none has, or nothing of it is left. */
  get beganAt(): number {
    return this.#run?.beganAt ?? Number.POSITIVE_INFINITY;
  }

  begin(): void {
    if (this.#options.settings.isOnChangeOnly) this.#options.teller.say('waiting for a change');
    else this.dispatch({ type: 'begin' });
  }

  /** `at`: when it began, in milliseconds since the epoch. */
  change(change: Change, at: number): void {
    this.#options.teller.detail(
      `changed: ${change.paths.join(', ')}${change.count > change.paths.length ? ', …' : ''}`,
    );
    if (!this.#isOwn(change, at)) this.dispatch({ type: 'changed', change });
  }

  /** Made by the gate or the program itself, again and again. */
  #isOwn(change: Change, at: number): boolean {
    const { teller } = this.#options;
    const byGate = this.#gate === null ? null : this.#gateWrites.judge(change, at, this.#gate);
    if (byGate !== null && byGate.fresh.length > 0) teller.warn(gateWriteWords(byGate.fresh));
    if (byGate?.isLeftOut) return true;
    if (byGate?.isPutOff) {
      this.#putOff(change);
      return true;
    }
    const { isLeftOut, fresh } = this.#ownWrites.judge(change, at, this.run);
    if (fresh.length > 0) teller.warn(ownWriteWords(fresh));
    return isLeftOut;
  }

  /** Whether the gate or a person has made it, the next gate tells if there is a pause before it. */
  #putOff(change: Change): void {
    if (this.#putOffTimer !== null) clearTimeout(this.#putOffTimer);
    this.#putOffTimer = setTimeout(() => this.dispatch({ type: 'changed', change }), putOffMs);
  }

  dispatch(event: Event): void {
    const { model, effects } = step(this.#model, event, this.#policy);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'start':
        this.#start();
        break;
      case 'stop':
        this.#stop(effect.for);
        break;
      case 'kill':
        this.#gate?.kill();
        this.#ending?.kill();
        break;
      case 'signal':
        this.#signal();
        break;
      case 'openGate':
        this.#sayIfGone();
        this.#gate?.open();
        break;
      case 'closeGate':
        this.#closeGate();
        break;
      case 'rest':
        this.#timer = setTimeout(() => this.dispatch({ type: 'rested' }), effect.ms);
        break;
      case 'tellExit':
      case 'tellRestart':
      case 'tellGate':
      case 'tellGateFailed':
      case 'tellBusy':
        this.#narrate(effect);
        break;
      case 'end':
        this.#options.hooks.fire('quit');
        this.#end(effect.code);
        break;
    }
  }

  #start(): void {
    const { resolveLaunch, teller } = this.#options;
    if (this.#launch !== null) {
      this.#startAs(this.#launch);
      return;
    }
    const model = this.#model;
    resolveLaunch().then(
      (launch) => {
        this.#launch = launch;
        // Something else may have been asked for meanwhile.
        if (this.#model === model) this.#startAs(launch);
      },
      (error: Error) => {
        teller.warn(error.message);
        const ended = { code: notFoundCode, signal: null, isStable: false, isMissing: false };
        if (this.#model === model) this.dispatch({ type: 'exited', ended });
      },
    );
  }

  #startAs(launch: Launch): void {
    const { teller, hooks } = this.#options;
    this.#runs += 1;
    teller.say(`starting ${launch.shown}`);
    this.#sayIfGone();
    const run = new Run({
      launch,
      cookie: `${this.#options.id}.dev.0.${this.#runs}`,
      stdio: [this.#stdin.mode, 'inherit', 'inherit'],
      onExit: (exit) => this.#onExit(run, exit),
    });
    this.#run = run;
    this.#stdin.attach(run);
    teller.detail(`pid ${run.child.pid ?? 'none'}`);
    hooks.fire('start');
  }

  #sayIfGone(): void {
    const { cwd } = this.#options.settings;
    if (!this.#isThere()) this.#options.teller.warn(`the directory ${cwd} is gone`);
  }

  #onExit(run: Run, exit: Exit): void {
    if (run !== this.#run) return;
    this.#stdin.attach(null);
    this.#restoreMode();
    const { code, signal, tookMs } = exit;
    const isMissing = code === notFoundCode && this.#runs === 1 && (run.isShell || run.main === null);
    if (this.#ending === null) {
      const ended = { code, signal, isStable: tookMs >= stableMs, isMissing };
      this.dispatch({ type: 'exited', ended });
    }
  }

  #stop(what: 'start' | 'end'): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // What is put off was saved after that build began: it is built by itself.
    if (what === 'end' && this.#putOffTimer !== null) clearTimeout(this.#putOffTimer);
    // What a gate has left running, too.
    if (what === 'end') this.#closeGate();
    if (this.#ending !== null) return;
    const run = this.#run;
    if (run === null || run.isGone()) {
      this.#onGone([]);
      return;
    }
    const isRunning = run.exit === null;
    const { teller, settings, hooks } = this.#options;
    // A change is no reason to end with another signal than what was asked for; who asks us to end is passed on.
    const { signal, isTold } = what === 'end' ? endBy(this.#endSignal) : { signal: settings.signal, isTold: false };
    let ports: readonly number[] = [];
    this.#ending = new Ending({
      run,
      signal,
      isTold,
      timeoutMs: settings.stopTimeoutMs,
      onGone: () => {
        this.#restoreMode();
        if (isRunning) hooks.fire('exit', signal);
        this.#onGone(ports);
      },
      say: teller.warn,
      detail: teller.detail,
    });
    if (what === 'start') ports = portsOfMembers(run.members());
  }

  #onGone(ports: readonly number[]): void {
    this.#run = null;
    void Promise.all([whenFree(ports, this.#options.teller.warn), this.#gateGone]).then(() => {
      this.#ending = null;
      this.dispatch({ type: 'emptied' });
    });
  }

  #signal(): void {
    const { main } = this.#run ?? { main: null };
    if (main !== null) signalProcess(main, signalNumber(this.#options.settings.signal) ?? 15);
  }

  #gateFor(command: string): Gate {
    return new Gate({
      ...this.#options,
      ...this.#options.settings,
      command,
      onEnd: (hasPassed) => this.dispatch({ type: hasPassed ? 'gatePassed' : 'gateFailed' }),
    });
  }

  #closeGate(): void {
    this.#gateGone = this.#gate?.close(endBy(this.#endSignal)) ?? this.#gateGone;
  }

  #narrate(effect: Told): void {
    narrate(effect, { ...this.#options, program: this.#launch?.shown ?? '', gate: this.#gate?.exit ?? null });
  }

  #onSignal(signal: EndSignal): void {
    this.#endSignal ??= signal;
    this.dispatch({ type: 'endAsked', code: 128 + constants.signals[this.#endSignal] });
  }

  #end(code: number): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    this.#stdin.close();
    this.#restoreMode();
    this.#finish(code);
  }
}

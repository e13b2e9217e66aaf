/** What the runs of an app tell of their sockets, as far as their programs have the preload, and what that means. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalProcess } from '../../host/process.ts';
import { signalNumber } from '../../host/signals.ts';
import { addressInWords } from '../../sockets/address.ts';
import type { App } from '../app.ts';
import type { Instance } from '../instance.ts';
import { reachDirectory } from '../reach.ts';
import { type ListeningKey, Told } from './told.ts';

/** SIGURG. */
const usualDrainSignal = 23;

export class Tellings {
  readonly #app: App;
  readonly #heard: (instance: Instance) => void;
  readonly #told = new Map<Instance, Told>();

  /** `heard` is called whenever a run may have told something new. */
  constructor(app: App, heard: (instance: Instance) => void) {
    this.#app = app;
    this.#heard = heard;
  }

  /** From now on, and what it told before. */
  follow(instance: Instance): void {
    this.forget(instance);
    const hear = () => this.#hear(instance);
    this.#told.set(instance, new Told(join(reachDirectory(instance), 'listening'), hear));
    hear();
  }

  #hear(instance: Instance): void {
    if (this.#told.get(instance)?.isDrained) instance.dispatch({ type: 'notAsked', run: instance.model.run });
    this.#heard(instance);
  }

  /** Reads at once what it has told by now. */
  look(instance: Instance): void {
    if (this.#told.get(instance)?.look()) this.#hear(instance);
  }

  forget(instance: Instance): void {
    this.#told.get(instance)?.close();
    this.#told.delete(instance);
  }

  close(): void {
    for (const instance of [...this.#told.keys()]) this.forget(instance);
  }

  /** By key; null of a run that tells nothing. */
  listeningOf(instance: Instance): ReadonlyMap<string, ListeningKey> | null {
    return this.#told.get(instance)?.listening ?? null;
  }

  hasClosed(instance: Instance, key: string): boolean {
    return this.#told.get(instance)?.closed.has(key) === true;
  }

  isInUse(key: string): boolean {
    return this.#app.all.some((instance) => this.listeningOf(instance)?.has(key) === true);
  }

  /** On all that the run whose place it is to take listens on; without one, on something. */
  isListening(instance: Instance): boolean {
    const own = this.listeningOf(instance);
    return own !== null && own.size > 0 && this.#expectedOf(instance).every((key) => own.has(key));
  }

  /** `it listens on port 5001, not on port 5000`; null where nothing is missing. */
  misses(instance: Instance): string | null {
    const own: ReadonlyMap<string, ListeningKey> = this.listeningOf(instance) ?? new Map();
    const missing = this.#expectedOf(instance).filter((key) => !own.has(key));
    if (missing.length === 0) return null;
    const where = [...own.values()].map(({ address }) => address).join(', ');
    const not = missing.map(addressInWords).join(', ');
    return where === '' ? `it does not listen on ${not}` : `it listens on ${where}, not on ${not}`;
  }

  #expectedOf({ role, index }: Instance): readonly string[] {
    const before = role === 'candidate' ? this.#app.instances.find((one) => one.index === index) : undefined;
    const listening = before === undefined ? null : this.listeningOf(before);
    return [...(listening ?? [])].flatMap(([key, { isShared }]) => (isShared ? [key] : []));
  }

  /** Tells a program to take no more connections; it says when the last one has ended. */
  askToDrain(instance: Instance): void {
    const { program } = instance;
    const isDone = program === null || this.#told.get(instance)?.isDrained === true;
    if (isDone) instance.dispatch({ type: 'notAsked', run: instance.model.run });
    else signalProcess(program, this.#drainSignal);
  }

  isDrained(instance: Instance): boolean {
    return this.#told.get(instance)?.isDrained === true;
  }

  /** Asks a program to give its sockets once more. */
  askToGive(instance: Instance): void {
    if (instance.program === null) return;
    writeFileSync(join(reachDirectory(instance), 'give'), '', { mode: 0o600 });
    signalProcess(instance.program, this.#drainSignal);
  }

  get #drainSignal(): number {
    return signalNumber(this.#app.spec.share.drainSignal) ?? usualDrainSignal;
  }
}

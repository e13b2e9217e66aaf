/**
 * One app in memory: what was asked for, what is wanted, and its instances. Files follow at once: what is wanted is durable before it is acted
 * on, what is observed is written (not synced) before the effects of its being observed.
 */
import { rmSync } from 'node:fs';
import { isDiskFull } from '../host/files.ts';
import type { Model, Role } from '../lifecycle/state.ts';
import type { Keeper, Want } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../protocol/spec.ts';
import {
  type Rollout,
  removeApp,
  type StoredApp,
  type StoredInstance,
  type StoredState,
  saveSpec,
  saveState,
  stateFormat,
} from '../storage/apps.ts';
import { newInstance } from '../storage/new-state.ts';
import { forgetFormerName, formerNames, renameApp } from '../storage/rename.ts';
import type { Daemon } from './context.ts';
import { Instance } from './instance.ts';
import { isSharing, Sharing } from './sharing/sharing.ts';

/** How long to wait for room on a full disk. */
const saveAgainMs = 2000;

export class App {
  readonly id: number;
  readonly createdAt: string;
  readonly daemon: Daemon;
  /** Every run that is there or is to be: during a reload some index has two. Replaced, never changed. */
  #all: readonly Instance[];
  #mains: readonly Instance[];
  /** By index: the numbers of runs that are no more. */
  readonly #lastRuns = new Map<number, number>();
  #sharing: Sharing | null = null;
  #rollout: Rollout | null;
  #spec: AppSpec;
  #want: Want;
  #by: string;
  #keeper: Keeper | null;
  #forgotten = false;
  #leftover: Error | null = null;
  #saving: NodeJS.Timeout | null = null;

  constructor(daemon: Daemon, { spec, state }: StoredApp<Model>) {
    this.daemon = daemon;
    this.id = state.id;
    this.createdAt = state.createdAt;
    this.#spec = spec;
    this.#want = state.want;
    this.#by = state.by;
    this.#keeper = state.keeper ?? null;
    this.#rollout = state.rollout;
    this.#all = state.instances.map((stored) => new Instance(this, stored));
    this.#mains = mainsOf(this.#all);
  }

  /** By index, one for each: those that serve, or are to. */
  get instances(): readonly Instance[] {
    return this.#mains;
  }
  /** With those that are about to take the place of one, and those that have lost theirs. */
  get all(): readonly Instance[] {
    return this.#all;
  }
  /** Its sockets; null for an app that shares none. */
  get sharing(): Sharing | null {
    if (!isSharing(this.#spec)) return this.#sharing;
    this.#sharing ??= new Sharing(this);
    return this.#sharing;
  }
  get rollout(): Rollout | null {
    return this.#rollout;
  }

  get spec(): AppSpec {
    return this.#spec;
  }
  get name(): string {
    return this.#spec.name;
  }
  get want(): Want {
    return this.#want;
  }
  /** Who wanted last what is wanted. */
  get by(): string {
    return this.#by;
  }
  /** Who keeps it; null: stead does. */
  get keeper(): Keeper | null {
    return this.#keeper;
  }
  get isForgotten(): boolean {
    return this.#forgotten;
  }

  /** Why it is still on disk, though it is forgotten: the next daemon may know it again. */
  get leftover(): Error | null {
    return this.#leftover;
  }

  /** Durable when it returns; then, and only then, it may be acted on. Throws the disk's error, nothing being changed. */
  setWant(want: Want, by: string): void {
    if (want === 'running') refuseKept(this);
    for (const instance of this.#all) instance.askedBy = null;
    const before = { want: this.#want, by: this.#by };
    // Nothing undoes a delete.
    if (this.#want === 'deleted') return;
    this.#want = want;
    this.#by = by;
    try {
      saveState(this.daemon.home, this.name, this.stored(), { durable: true });
    } catch (error) {
      this.#want = before.want;
      this.#by = before.by;
      throw error;
    }
    this.daemon.watching.look(this);
  }

  /** It is somebody else's, and to end here; or (null) stead's again, and stopped as yet. Durable when it returns; throws as `setWant`. */
  setKeeper(keeper: Keeper | null, by: string): void {
    const before = this.#keeper;
    this.#keeper = keeper;
    try {
      this.setWant('stopped', by);
    } catch (error) {
      this.#keeper = before;
      throw error;
    }
  }

  /**
   * That it is to end, which a full disk does not prevent: what fills the disk may be this very app. False: it is wanted by this daemon alone as yet, and is
   * written as soon as there is room.
   */
  setEnd(want: 'stopped' | 'deleted', by: string): boolean {
    try {
      this.setWant(want, by);
      return true;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#want = want;
      this.#by = by;
      this.daemon.watching.look(this);
      this.#saveLater();
      return false;
    }
  }

  #saveLater(): void {
    if (this.#saving) clearTimeout(this.#saving);
    this.#saving = setTimeout(() => {
      if (this.#forgotten) return;
      try {
        saveState(this.daemon.home, this.name, this.stored(), { durable: true });
      } catch {
        this.#saveLater();
      }
    }, saveAgainMs);
  }

  /** Durable when it returns. Throws the disk's error, nothing being changed. */
  beginRollout(rollout: Rollout): void {
    const before = this.#rollout;
    this.#rollout = rollout;
    try {
      saveState(this.daemon.home, this.name, this.stored(), { durable: true });
    } catch (error) {
      this.#rollout = before;
      throw error;
    }
  }

  /** How far a reload is: kept, so that the next daemon goes on with it. */
  setRollout(rollout: Rollout | null): void {
    this.#rollout = rollout;
    this.persist();
  }

  /** One more run, in a lane of its own. Nothing is launched by it. */
  add(index: number, role: Role): Instance {
    const others = this.#all.filter((other) => other.index === index);
    const lane = [0, ...others.map((other) => other.lane + 1)].find((free) => others.every((o) => o.lane !== free))!;
    const main = others.find((other) => other.role === 'main');
    const fresh = newInstance(index);
    const counts = main === undefined ? {} : { restarts: main.model.restarts, lastTick: main.model.lastTick };
    const stored: StoredInstance<Model> = { ...fresh, role, lane, model: { ...fresh.model, ...counts } };
    const instance = new Instance(this, stored);
    this.#change([...this.#all, instance]);
    instance.specChanged();
    return instance;
  }

  /** A candidate takes the place of who serves, who retires. */
  promote(candidate: Instance, by: string): Instance {
    const before = this.#mains.find(({ index }) => index === candidate.index)!;
    before.role = 'retiring';
    before.askedBy = by;
    candidate.role = 'main';
    this.#change(this.#all);
    for (const instance of [before, candidate]) instance.specChanged();
    return before;
  }

  /** It is among those whose end nothing waits for: there are to be fewer. */
  retire(instance: Instance): void {
    instance.role = 'retiring';
    this.#change(this.#all);
    instance.specChanged();
  }

  /** Nothing of it is left. */
  drop(instance: Instance): void {
    this.#lastRuns.set(instance.index, this.nextRun(instance.index) - 1);
    // Before it is out of the state: a run that is on disk and not there would be taken for one that was launched unseen.
    rmSync(instance.runDirectory(), { recursive: true, force: true });
    this.#change(this.#all.filter((other) => other !== instance));
    instance.close();
    if (this.#want === 'deleted') this.forgetIfOver();
  }

  #change(all: readonly Instance[]): void {
    this.#all = all;
    this.#mains = mainsOf(all);
    this.persist();
    this.#sharing?.changed();
  }

  /** Each start of every run of an index has a number of its own. */
  nextRun(index: number): number {
    const runs = this.#all.flatMap((one) => (one.index === index ? [one.model.run] : []));
    return 1 + Math.max(this.#lastRuns.get(index) ?? 0, ...runs);
  }

  setSpec(spec: AppSpec): void {
    saveSpec(this.daemon.home, spec);
    this.#spec = spec;
  }

  /** Other options, durable; what concerns no launch holds from now on. */
  changeSpec(spec: AppSpec): void {
    this.setSpec(spec);
    for (const instance of this.#all) instance.specChanged();
    this.sharing?.changed();
  }

  /** Another name, durable; runs under way keep what they have of the old one. */
  rename(to: string): void {
    const { daemon, name: from } = this;
    for (const instance of this.#all) daemon.logs.remove(instance);
    for (const instance of this.#all) instance.keepName(from);
    renameApp(daemon.home, { from, to });
    this.#spec = { ...this.#spec, name: to, options: withName(this.#spec.options, to) };
    saveSpec(daemon.home, this.#spec);
    this.persist();
    daemon.apps.delete(from);
    daemon.apps.set(to, this);
    daemon.terminals.rename(from, this);
    for (const instance of this.#all) instance.renamed();
    this.dropFormerNames();
  }

  /** Old names are free again as soon as no run knows its app by them. */
  dropFormerNames(): void {
    const inUse = new Set(this.#all.map(({ nameAtLaunch }) => nameAtLaunch));
    for (const [former, name] of formerNames(this.daemon.home))
      if (name === this.name && !inUse.has(former)) forgetFormerName(this.daemon.home, former);
  }

  /** Writes what is observed. A full disk is survived: memory is right, and the next change is written again. */
  persist(): void {
    if (this.#forgotten) return;
    try {
      saveState(this.daemon.home, this.name, this.stored(), { durable: false });
    } catch (error) {
      this.daemon.log(`${this.name}: state not written: ${(error as Error).message}`);
    }
  }

  stored(): StoredState<Model> {
    return {
      format: stateFormat,
      id: this.id,
      want: this.#want,
      by: this.#by,
      createdAt: this.createdAt,
      bootId: this.daemon.bootId,
      instances: this.#all.map((instance) => instance.stored()),
      rollout: this.#rollout,
      ...(this.#keeper !== null && { keeper: this.#keeper }),
    };
  }

  /** An instance of it is over: the last one takes the app along. */
  forgetIfOver(): void {
    if (this.#all.every(({ model }) => ['stopped', 'completed', 'failed'].includes(model.state.name))) this.forget();
  }

  /** Removes it from disk and memory; nothing of it is alive. */
  forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    if (this.#saving) clearTimeout(this.#saving);
    this.#sharing?.end();
    this.daemon.watching.look(this);
    for (const instance of this.#all) instance.close();
    this.daemon.apps.delete(this.name);
    try {
      removeApp(this.daemon.home, this.name);
    } catch (error) {
      this.#leftover = error as Error;
      this.daemon.log(`${this.name}: not removed from disk: ${(error as Error).message}`);
    }
  }
}

/** Throws KEPT_BY_SYSTEMD. */
export function refuseKept({ name, keeper }: Pick<App, 'name' | 'keeper'>): void {
  if (keeper === null) return;
  throw new SteadError('KEPT_BY_SYSTEMD', `systemd keeps "${name}" (${keeper.main}).`, {
    hint: `stead takeback ${name} takes it back; start, stop, restart and logs work as it is`,
  });
}

const withName = (options: SpecOptions, name: string): SpecOptions =>
  options.name === undefined ? options : { ...options, name };

const mainsOf = (all: readonly Instance[]): readonly Instance[] =>
  all.filter(({ role }) => role === 'main').sort((a, b) => a.index - b.index);

/**
 * One app in memory: what was asked for, what is wanted, and its instances. Files follow at once: what is wanted is durable before it is acted
 * on, what is observed is written (not synced) before the effects of its being observed.
 */
import { isDiskFull } from '../host/files.ts';
import type { Model } from '../lifecycle/state.ts';
import type { Want } from '../protocol/api.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { removeApp, type StoredApp, type StoredState, saveSpec, saveState, stateFormat } from '../storage/apps.ts';
import type { Daemon } from './context.ts';
import { Instance } from './instance.ts';

/** How long to wait for room on a full disk. */
const saveAgainMs = 2000;

export class App {
  readonly id: number;
  readonly createdAt: string;
  readonly instances: readonly Instance[];
  readonly daemon: Daemon;
  #spec: AppSpec;
  #want: Want;
  #by: string;
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
    this.instances = state.instances.map((stored) => new Instance(this, stored));
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
  get isForgotten(): boolean {
    return this.#forgotten;
  }

  /** Why it is still on disk, though it is forgotten: the next daemon may know it again. */
  get leftover(): Error | null {
    return this.#leftover;
  }

  /** Durable when it returns; then, and only then, it may be acted on. Throws the disk's error, nothing being changed. */
  setWant(want: Want, by: string): void {
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

  setSpec(spec: AppSpec): void {
    saveSpec(this.daemon.home, spec);
    this.#spec = spec;
  }

  /** Other options, durable; what concerns no launch holds from now on. */
  changeSpec(spec: AppSpec): void {
    this.setSpec(spec);
    for (const instance of this.instances) instance.specChanged();
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
      instances: this.instances.map((instance) => instance.stored()),
    };
  }

  /** Removes it from disk and memory; nothing of it is alive. */
  forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    if (this.#saving) clearTimeout(this.#saving);
    for (const instance of this.instances) instance.close();
    this.daemon.apps.delete(this.name);
    try {
      removeApp(this.daemon.home, this.name);
    } catch (error) {
      this.#leftover = error as Error;
      this.daemon.log(`${this.name}: not removed from disk: ${(error as Error).message}`);
    }
  }
}

/**
 * The pty host of a home, as the daemon has it: found or started, asked in order, brought back when it is gone. It outlives the daemon; its copy of the code is the
 * one that it was started with.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { errnoOf, readIfThere } from '../../host/files.ts';
import { prepareFolder } from '../../storage/home.ts';
import type { HostLink } from '../../terminal/host-link.ts';
import { controlSocket, hostNodeOptions, terminalsDirectory } from '../../terminal/places.ts';

const connectForMs = 15_000;
const lookMs = 20;
/** A host that ends again and again is not started again at once. */
const againMs = 1000;

export interface HostHooks {
  readonly home: string;
  /** Where `pty-host.cjs` lies. */
  readonly library: string;
  log(line: string): void;
  /** A new connection stands, and nothing was asked over it yet. */
  connected(link: HostLink): Promise<void>;
  /** The connection is gone: whoever needs the host says so. */
  lost(): void;
}

export class HostProcess {
  readonly #hooks: HostHooks;
  #link: Promise<HostLink> | null = null;
  #known: HostLink | null = null;
  #lastStart = Number.NEGATIVE_INFINITY;

  constructor(hooks: HostHooks) {
    this.#hooks = hooks;
  }

  get directory(): string {
    return terminalsDirectory(this.#hooks.home);
  }

  /** The host that runs, else one that is started. Rejects where none comes up. */
  link(): Promise<HostLink> {
    this.#link ??= this.#open({ mayStart: true });
    return this.#link;
  }

  /** The host that runs; null if none does. */
  async existing(): Promise<HostLink | null> {
    if (this.#link !== null) return this.#link;
    const opening = this.#open({ mayStart: false });
    this.#link = opening;
    try {
      return await opening;
    } catch {
      return null;
    }
  }

  /** At once, if it is known to be there. */
  quit(): void {
    this.#known?.quit();
  }

  /** The directory that a host refuses to be without. Throws HOME_UNSAFE, HOME_UNUSABLE. */
  prepare(): void {
    prepareFolder(this.#hooks.home, 'terminals');
  }

  async #open({ mayStart }: { readonly mayStart: boolean }): Promise<HostLink> {
    try {
      const link = await this.#connect(mayStart);
      link.onClose = () => this.#lost();
      this.#known = link;
      await this.#hooks.connected(link);
      // One of another build: what it has is here now, for one of this.
      if (this.#isOther()) link.quit();
      return link;
    } catch (error) {
      this.#link = null;
      throw error;
    }
  }

  #isOther(): boolean {
    try {
      const text = readIfThere(join(this.directory, 'host.json'));
      const { library } = JSON.parse(text ?? '{}') as { readonly library?: unknown };
      return library !== undefined && library !== this.#hooks.library;
    } catch {
      return false;
    }
  }

  #lost(): void {
    this.#link = null;
    this.#known = null;
    this.#hooks.lost();
  }

  async #connect(mayStart: boolean): Promise<HostLink> {
    // Loads the system calls that Node lacks: not in a daemon that has no terminal.
    const { HostLink } = await import('../../terminal/host-link.ts');
    const path = controlSocket(this.#hooks.home);
    if (mayStart) this.prepare();
    const deadline = performance.now() + connectForMs;
    for (;;) {
      try {
        return await HostLink.connect(path);
      } catch (error) {
        if (!['ENOENT', 'ECONNREFUSED', 'EAGAIN'].includes(errnoOf(error) ?? '')) throw error;
        if (!mayStart || performance.now() > deadline) throw error;
      }
      if (performance.now() > this.#lastStart + againMs) this.#start();
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  /** In a session of its own, with nothing of this process but its log. */
  #start(): void {
    this.#lastStart = performance.now();
    const words = [...hostNodeOptions, join(this.#hooks.library, 'pty-host.cjs'), this.#hooks.home];
    // A parent that ends leaves it to init: no daemon has to reap it.
    const child = spawn('/usr/bin/setsid', ['-f', process.execPath, ...words], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 2],
    });
    child.once('error', (error) => this.#hooks.log(`the pty host can't be started: ${error.message}`));
  }
}

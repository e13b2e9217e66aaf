/**
 * sd_notify: one socket per run of an app that uses it (`ready: notify`, `alive: watchdog`). The launcher holds a duplicate, so that what a program says while
 * no daemon runs waits in the kernel, and the next daemon takes the same socket back. Where that is not permitted (Yama), it makes a new one at the same path;
 * what was said in between is lost then, and the log says so.
 *
 * What a message says counts if its sender, by the kernel's word, belongs to the app's tree; anything else is ignored and counted.
 */
import { closeSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../host/clock.ts';
import { type Datagram, type DatagramSocket, openDatagramSocket, takeDatagramSocket } from '../host/datagrams.ts';
import { parseNotify } from '../host/notify-message.ts';
import { settingInWords } from '../lifecycle/words.ts';
import type { AppSpec } from '../protocol/spec.ts';
import type { Instance } from './instance.ts';
import { needsNative } from './needs-native.ts';
import { makeReachDirectory, reachDirectory } from './reach.ts';

/** The launcher's fd for it, closed before the program is executed: with a terminal the next one. */
const launcherFd = ({ tty }: AppSpec): number => (tty === null ? 8 : 9);
/** A watchdog that is looked at so much late was not looked at: this process had been stopped, or the machine. What was said meanwhile comes first. */
const lateMs = 500;

export const usesNotify = ({ ready, alive }: Pick<AppSpec, 'ready' | 'alive'>): boolean =>
  ready?.kind === 'notify' || alive?.kind === 'watchdog';

export class Notify {
  readonly #instance: Instance;
  readonly #run: number;
  #socket: DatagramSocket | null = null;
  #watchdog: NodeJS.Timeout | null = null;
  #watchdogMs: number;
  #watchdogDue = 0;
  /** What it said of itself last: `STATUS=`. */
  status: string | null = null;
  /** Messages of strangers. */
  ignored = 0;

  constructor(instance: Instance, run: number) {
    this.#instance = instance;
    this.#run = run;
    this.#watchdogMs = instance.app.spec.aliveIntervalMs;
  }

  /** In the home, short, as a program can't reach what is longer than 107 bytes; or where another user can reach it. */
  get path(): string {
    const { app } = this.#instance;
    if (app.spec.user !== null) return join(reachDirectory(this.#instance, this.#run), 'notify');
    return join(app.daemon.home, 'notify', `${app.id}.${this.#instance.index}.${this.#run}`);
  }

  /** Before the launch; the socket's fd, to be inherited by the launcher. Throws UNSUPPORTED where the system calls can't be had. */
  open(): number {
    const { app } = this.#instance;
    const { user } = app.spec;
    if (user === null) mkdirSync(join(app.daemon.home, 'notify'), { recursive: true, mode: 0o700 });
    else makeReachDirectory(this.#instance, this.#run);
    if (Buffer.byteLength(this.path) > 107)
      throw new Error(`the path of its notify socket is longer than 107 bytes: ${this.path}`);
    const options = user === null ? {} : { owner: user };
    this.#socket = needsNative('ready: notify', () =>
      openDatagramSocket(this.path, options, (message) => this.#hear(message)),
    );
    return this.#socket.fd;
  }

  /** For a run that an earlier daemon launched. */
  takeBack(): void {
    const { app, launcher } = this.#instance;
    const hear = (message: Datagram) => this.#hear(message);
    try {
      if (launcher === null || launcher.pid === 0) throw new Error('its launcher is gone');
      this.#socket = needsNative('ready: notify', () => takeDatagramSocket(launcher.pid, launcherFd(app.spec), hear));
    } catch (error) {
      app.daemon.log(
        `${app.name}: its notify socket can't be taken back (${(error as Error).message}): another one is made, and what it said meanwhile is lost`,
      );
      try {
        this.#socket = openDatagramSocket(this.path, app.spec.user === null ? {} : { owner: app.spec.user }, hear);
      } catch (failure) {
        app.daemon.log(`${app.name}: no notify socket: ${(failure as Error).message}`);
      }
    }
  }

  /** From when it is ready. */
  watch(): void {
    if (this.#instance.app.spec.alive?.kind === 'watchdog') this.#pinged();
  }

  close(): void {
    if (this.#watchdog) clearTimeout(this.#watchdog);
    this.#watchdog = null;
    this.#socket?.close();
    this.#socket = null;
  }

  /** Also for the program: the run is over. */
  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  #hear({ text, pid, fds }: Datagram): void {
    // BARRIER=1 waits for just this; FDSTORE=1 is not offered.
    for (const fd of fds) closeSync(fd);
    if (!this.#instance.tree.members().some((member) => member.pid === pid)) {
      this.ignored += 1;
      return;
    }
    const { ready, stopping, reloading, watchdog, watchdogUs, status, mainPid, extendTimeoutUs } = parseNotify(text);
    const { spec } = this.#instance.app;
    const run = this.#run;
    if (status !== null) this.status = status === '' ? null : status;
    else if (reloading) this.status = 'reloading';
    else if (stopping) this.status = 'stopping';
    if (mainPid !== null) this.#instance.nameMain(mainPid);
    if (extendTimeoutUs !== null) this.#instance.dispatch({ type: 'extend', run, ms: extendTimeoutUs / 1000 });
    if (watchdogUs !== null && spec.alive?.kind === 'watchdog') this.#watchdogMs = watchdogUs / 1000;
    if (watchdog === 'ping' || watchdogUs !== null) this.#pinged();
    if (watchdog === 'trigger')
      this.#instance.dispatch({ type: 'unwell', run, reason: 'watchdog: it asked to be restarted' });
    if (ready && spec.ready?.kind === 'notify') this.#instance.dispatch({ type: 'ready', run });
  }

  #pinged(): void {
    if (this.#instance.app.spec.alive?.kind !== 'watchdog') return;
    if (this.#watchdog) clearTimeout(this.#watchdog);
    this.#watchdog = null;
    if (this.#instance.model.state.name !== 'running' || this.#watchdogMs === 0) return;
    this.#watchdogDue = monotonicMs() + this.#watchdogMs;
    this.#watchdog = setTimeout(() => this.#missed(), this.#watchdogMs);
  }

  #missed(): void {
    if (monotonicMs() - this.#watchdogDue > lateMs) {
      this.#pinged();
      return;
    }
    const reason = `watchdog: no WATCHDOG=1 for ${settingInWords(Math.round(this.#watchdogMs))}`;
    this.#instance.dispatch({ type: 'unwell', run: this.#run, reason });
  }
}

/**
 * The daemon's side of the guardian: it notices when the guardian dies and starts one that waits for the lock, so that a later death of the daemon itself is
 * noticed, too.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/** So that a guardian which can't live is not respawned hot. */
const againMs = 5_000;

export class Guardian {
  readonly #home: string;
  readonly #log: (line: string) => void;
  #pid: number | null;
  #stopping = false;

  /** `pid` of the guardian that started this daemon; null without one: then there shall be none. */
  constructor({
    home,
    pid,
    log,
  }: { readonly home: string; readonly pid: number | null; readonly log: (line: string) => void }) {
    this.#home = home;
    this.#pid = pid;
    this.#log = log;
    if (pid !== null) this.#watch(pid);
  }

  get pid(): number | null {
    return this.#pid;
  }

  /** Before a clean end: a guardian that waits for the lock shall not start another daemon. */
  dismiss(): void {
    this.#stopping = true;
    writeFileSync(join(this.#home, 'stopped'), '', { mode: 0o600 });
  }

  #watch(pid: number): void {
    let fd: number;
    try {
      fd = openSync(`/proc/${pid}/fd/8`, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      this.#replace();
      return;
    }
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on('error', () => {});
    pipe.once('close', () => this.#replace());
    pipe.resume();
    pipe.unref();
  }

  #replace(): void {
    if (this.#stopping) return;
    this.#log(`the guardian (pid ${this.#pid}) is gone; starting another`);
    const log = openSync(join(this.#home, 'daemon.log'), 'a', 0o600);
    const child = spawn(
      '/bin/sh',
      [join(__dirname, 'guardian.sh'), 'wait', this.#home, process.execPath, process.argv[1]!],
      {
        detached: true,
        cwd: '/',
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.#pid = child.pid ?? null;
    const again = () => {
      this.#pid = null;
      if (!this.#stopping) setTimeout(() => this.#replace(), againMs).unref();
    };
    child.once('error', again);
    child.once('exit', again);
    child.unref();
  }
}

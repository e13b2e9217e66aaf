/**
 * What a daemon tells the systemd that keeps it, as sd_notify(3) has it, and what it is told by its environment, sd_watchdog_enabled(3). None of that
 * environment is of any use to what the daemon starts, so it is taken out.
 */
import { sendDatagram } from '../host/send-datagram.ts';

export interface UnitFacts {
  readonly name: string;
  readonly scope: 'system' | 'user';
}

/** Of a service's process alone: systemd.exec(5), "ENVIRONMENT VARIABLES IN SPAWNED PROCESSES". */
const own = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'SYSTEMD_EXEC_PID',
  'MANAGERPID',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'MEMORY_PRESSURE_WATCH',
  'MEMORY_PRESSURE_WRITE',
  'STEAD_UNIT',
  'STEAD_UNIT_SCOPE',
  'STEAD_UNIT_RELEASED',
] as const;

/** A line may be said again after so long at the earliest. */
const statusMs = 1000;

export class ManagerLink {
  /** Null: the unit is not stead's own (`stead daemon run` in a unit that somebody wrote), or there is none. */
  readonly unit: UnitFacts | null;
  /** A service manager, systemd or another one, has started this process by `unit.sh`, and starts it again. */
  readonly isService: boolean;
  /**
   * Between two daemons the cgroups of the unit are without controllers, as this systemd could not start the next one otherwise: limits are set again, but what
   * a program had of memory until then is not counted for it any more.
   */
  readonly isReleased: boolean;
  readonly #socket: string | null;
  readonly #watchdogMs: number | null;
  readonly #log: (line: string) => void;
  #status = '';
  #statusTimer: NodeJS.Timeout | null = null;
  #isBroken = false;

  /** Takes what is systemd's out of `env`. */
  constructor(env: NodeJS.ProcessEnv, log: (line: string) => void) {
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, STEAD_UNIT, STEAD_UNIT_SCOPE } = env;
    this.#socket = NOTIFY_SOCKET || null;
    const isMine = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    const usec = Number(WATCHDOG_USEC);
    this.#watchdogMs = this.#socket !== null && isMine && usec > 0 ? usec / 1000 : null;
    this.#log = log;
    this.isService = Boolean(STEAD_UNIT);
    this.isReleased = env.STEAD_UNIT_RELEASED === 'yes';
    const isScope = STEAD_UNIT_SCOPE === 'user' || STEAD_UNIT_SCOPE === 'system';
    this.unit = STEAD_UNIT && isScope ? { name: STEAD_UNIT, scope: STEAD_UNIT_SCOPE } : null;
    for (const name of own) delete env[name];
  }

  /** `status` is a line for people. From now on the watchdog is fed, as long as the event loop turns. */
  ready(status: string): void {
    this.#status = status;
    this.#send(['READY=1', `STATUS=${status}`]);
    // Half of it, as sd_watchdog_enabled(3) advises.
    if (this.#watchdogMs !== null) setInterval(() => this.#send(['WATCHDOG=1']), this.#watchdogMs / 2).unref();
  }

  /** Asks for a line at most once a second, and says it if it is another one. */
  statusChanged(read: () => string): void {
    if (this.#socket === null || this.#statusTimer !== null) return;
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = null;
      const status = read();
      if (status === this.#status) return;
      this.#status = status;
      this.#send([`STATUS=${status}`]);
    }, statusMs);
    this.#statusTimer.unref();
  }

  /** Until `ready` is called again. */
  reloading(): void {
    // CLOCK_MONOTONIC, which Type=notify-reload wants to have.
    this.#send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  reloaded(): void {
    this.#send(['READY=1', `STATUS=${this.#status}`]);
  }

  stopping(status: string): void {
    this.#send(['STOPPING=1', `STATUS=${status}`]);
  }

  /** The end is not to be waited for less than so long from now. */
  extend(ms: number): void {
    this.#send([`EXTEND_TIMEOUT_USEC=${ms * 1000}`]);
  }

  #send(lines: readonly string[]): void {
    if (this.#socket === null) return;
    try {
      sendDatagram(this.#socket, lines.join('\n'));
    } catch (error) {
      // Said once: the watchdog would say it every few seconds.
      if (!this.#isBroken) this.#log(`systemd can't be told ${lines[0]}: ${(error as Error).message}`);
      this.#isBroken = true;
    }
  }
}

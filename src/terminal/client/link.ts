/**
 * One attached client's way to its session, over as many connections as it takes. When the host is lost, the daemon has another one within a second: it is
 * looked for quietly, what is typed meanwhile is kept, and a fresh snapshot replaces what is shown.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SteadError } from '../../protocol/errors.ts';
import { encodeChunks, headBytes, type ProtocolError, terminalVersion } from '../frames.ts';
import type { Hello, HostMessage, SessionExit, Size, Welcome } from '../frames-messages.ts';
import { Acknowledger } from './acknowledger.ts';
import { Connection, misunderstood, noHost, refused } from './connection.ts';

/** Where the session can be had. */
export interface Place {
  /** The host's socket, absolute. */
  readonly socket: string;
  /** `<app>:<index>`: another than before if the app was renamed. */
  readonly session: string;
}

export interface LinkOptions extends Place {
  /** As it is at the time of each connection. */
  hello(isFirst: boolean): Omit<Hello, 'v' | 'session'>;
  /** Asks the daemon, after a host was lost. May be called several times. */
  readonly reconnect?: (() => Promise<Place>) | undefined;
}

export type LinkEnd =
  | { readonly reason: 'ended'; readonly exit: SessionExit }
  | { readonly reason: 'detached' | 'stolen' | 'stopped' | 'lost' }
  | { readonly reason: 'refused'; readonly error: SteadError };

/** `lost`: the host, and none came in its place. `detached` as well where the user's terminal or the reader of the output is gone. */
export interface Outcome {
  readonly reason: 'detached' | 'ended' | 'stolen' | 'stopped' | 'lost';
  /** How the program ended; null unless it did. */
  readonly exit: SessionExit | null;
}

export interface LinkEvents {
  /** The host has us; what follows begins with a snapshot, if one was wanted. */
  onJoined(isFirst: boolean): void;
  onOutput(bytes: Buffer): void;
  /** What was sent has left, or there is nobody to send to: more may follow. */
  onDrain(): void;
  /** Comes once, and nothing after it. */
  onEnd(end: LinkEnd): void;
}

const welcomePatienceMs = 5000;
const reconnectPatienceMs = 10_000;
/** Between attempts: a host that has just begun may not have this session yet. */
const reconnectPauseMs = 100;
/** Of what is typed while there is no host. */
const maxKeptBytes = 1024 * 1024;
/**
 * From so many bytes on that the host has not taken, no more is to be read from the user. Much, as the keys that detach can't be read then either: a paste into a
 * program that does not read shall not keep anybody here.
 */
const fullBytes = 4 * 1024 * 1024;
/** How long the host may take to let go of us. */
const farewellMs = 300;

export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #place: Place;
  #connection: Connection | null = null;
  #acknowledger: Acknowledger | null = null;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isOver = false;
  /** Of a host that has not welcomed us yet. */
  #giveUp: (() => void) | null = null;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#place = options;
    this.#events = events;
  }

  /** Rejects with a SteadError if the session can't be had. A host that was killed just now is waited for. */
  async open(): Promise<void> {
    try {
      await this.#join(this.#place, true);
    } catch (error) {
      const isGone = error instanceof SteadError && error.code === 'DAEMON_UNREACHABLE';
      if (!isGone || !this.#options.reconnect || !(await this.#joinWithin(reconnectPatienceMs, true))) throw error;
    }
  }

  get isFull(): boolean {
    return (this.#connection?.unsent ?? 0) > fullBytes;
  }

  get unsent(): number {
    return this.#keptBytes + (this.#connection?.unsent ?? 0);
  }

  send(bytes: Buffer): void {
    if (!this.#connection) {
      this.#keep(bytes);
      return;
    }
    // The host is dead, and we have not noticed yet.
    for (const frame of encodeChunks('i', bytes))
      this.#connection.sendFrame(frame, () => this.#keep(frame.subarray(headBytes)));
  }

  resize(size: Size): void {
    this.#connection?.send({ type: 'resize', size });
  }

  /** So many bytes of output are done with; `isIdle`: and there are no more. */
  taken(bytes: number, isIdle: boolean): void {
    this.#acknowledger?.taken(bytes, isIdle);
  }

  /** Of what will be reported as taken, so many bytes are not this connection's. */
  skip(bytes: number): void {
    this.#acknowledger?.skip(bytes);
  }

  pauseOutput(): void {
    this.#connection?.pause();
  }

  resumeOutput(): void {
    this.#connection?.resume();
  }

  /** Joins anew, for a fresh snapshot. */
  rejoin(): void {
    if (this.#isOver || !this.#connection) return;
    this.#drop();
    this.#joinAgain();
  }

  /** Takes leave of the host; no event follows. */
  async detach(): Promise<void> {
    this.#isOver = true;
    this.#giveUp?.();
    this.#acknowledger?.stop();
    this.#connection?.send({ type: 'detach' });
    await this.#connection?.finish(farewellMs);
  }

  #drop(): void {
    this.#acknowledger?.stop();
    this.#acknowledger = null;
    this.#connection?.close();
    this.#connection = null;
    this.#events.onDrain();
  }

  async #join(place: Place, isFirst: boolean): Promise<void> {
    const connection = await Connection.open(place.socket);
    try {
      await this.#greet(connection, place.session, isFirst);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Resolves when the host has welcomed us; messages go their way from then on. */
  #greet(connection: Connection, session: string, isFirst: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => settle(silent()), welcomePatienceMs);
      const settle = (error?: Error) => {
        clearTimeout(late);
        this.#giveUp = null;
        if (!error) return resolve();
        // At once: nothing that comes with it may be taken for a welcome.
        connection.close();
        reject(error);
      };
      this.#giveUp = () => settle(noHost('was left before it answered'));
      let isWelcome = false;
      connection.listen({
        onMessage: (message) => {
          if (isWelcome) return this.#take(message);
          // Our own size may be everybody's before we are welcomed.
          if (message.type === 'size') return;
          const problem = problemOf(message);
          if (problem) return settle(problem);
          isWelcome = true;
          this.#begin(connection, isFirst);
          settle();
        },
        onClose: (problem) => {
          if (isWelcome) this.#lose(connection, problem);
          else settle(problem ? misunderstood(problem) : noHost('hung up at once'));
        },
        onDrain: () => this.#events.onDrain(),
      });
      connection.send({ type: 'hello', hello: { v: terminalVersion, session, ...this.#options.hello(isFirst) } });
    });
  }

  #begin(connection: Connection, isFirst: boolean): void {
    if (this.#isOver) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#acknowledger = new Acknowledger((bytes) => connection.send({ type: 'ack', bytes }));
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) this.send(bytes);
    this.#events.onJoined(isFirst);
  }

  #take(message: HostMessage): void {
    if (this.#isOver) return;
    if (message.type === 'output' || message.type === 'snapshot') this.#events.onOutput(message.bytes);
    else if (message.type === 'exit') this.#end({ reason: 'ended', exit: message.exit });
    else if (message.type === 'bye') this.#end({ reason: message.reason });
    else if (message.type === 'error') this.#end({ reason: 'refused', error: refused(message.error) });
  }

  #end(end: LinkEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onEnd(end);
  }

  #lose(connection: Connection, problem: ProtocolError | null): void {
    if (this.#isOver || connection !== this.#connection) return;
    this.#drop();
    if (problem) this.#end({ reason: 'refused', error: misunderstood(problem) });
    else this.#joinAgain();
  }

  async #joinAgain(): Promise<void> {
    if (!(await this.#joinWithin(reconnectPatienceMs, false))) this.#end({ reason: 'lost' });
  }

  /** False if it took too long. Whatever goes wrong meanwhile may be right in a moment. */
  async #joinWithin(patienceMs: number, isFirst: boolean): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0 || this.#isOver) return this.#isOver;
      if (await this.#tryJoin(remainingMs, isFirst)) return true;
      await pause(reconnectPauseMs);
    }
  }

  async #tryJoin(patienceMs: number, isFirst: boolean): Promise<boolean> {
    const attempt = this.#joinSomewhere(isFirst).then(
      () => true,
      () => false,
    );
    const late = new AbortController();
    const expiry = pause(patienceMs, false, { signal: late.signal }).catch(() => false);
    const isJoined = await Promise.race([attempt, expiry]);
    late.abort();
    return isJoined;
  }

  /** Where it was, which needs no daemon; else where the daemon says. */
  async #joinSomewhere(isFirst: boolean): Promise<void> {
    const { reconnect } = this.#options;
    try {
      await this.#join(this.#place, isFirst);
    } catch (error) {
      if (!reconnect) throw error;
      this.#place = await reconnect();
      await this.#join(this.#place, isFirst);
    }
  }

  /** A copy: a stream's chunk may be its own memory. */
  #keep(bytes: Buffer): void {
    const room = maxKeptBytes - this.#keptBytes;
    if (room <= 0) return;
    const part = Buffer.from(bytes.subarray(0, room));
    this.#kept.push(part);
    this.#keptBytes += part.length;
  }
}

/** What of the host's first message is no welcome that we can go on with. */
function problemOf(message: HostMessage): Error | null {
  if (message.type === 'error') return refused(message.error);
  if (message.type !== 'welcome') return misunderstood(new Error(`it began with "${message.type}"`));
  return versionProblem(message.welcome);
}

const versionProblem = ({ v }: Welcome): Error | null =>
  v === terminalVersion ? null : misunderstood(new Error(`it speaks version ${v}, and we ${terminalVersion}`));

const silent = (): SteadError =>
  new SteadError('TIMED_OUT', `The terminals' host did not answer within ${welcomePatienceMs / 1000} s`, {
    hint: 'stead daemon restart; no program notices',
  });

/** Throws what the host refused. */
export function outcomeOf(end: LinkEnd): Outcome {
  if (end.reason === 'refused') throw end.error;
  return { reason: end.reason, exit: end.reason === 'ended' ? end.exit : null };
}

/**
 * Who may be connected. A client that has not sent its request has to within some seconds, and makes room when another comes; and clients never take the
 * files that the daemon needs for its own work: whoever finds no room is told so.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isScarce } from '../host/fds.ts';

const mostConnections = 512;
/** A local client needs a millisecond to send its request; one that comes to a daemon at work a little longer. */
const graceMs = 250;
/** Open files that clients leave to launches and looks at /proc. */
const reservedFds = 16;

export interface ConnectionRules {
  /** For the whole of a request. */
  readonly timeoutMs: number;
  /** Says why, and hangs up. */
  hangUp(socket: Socket, why: 'late' | 'crowded'): void;
}

export class Connections {
  readonly #rules: ConnectionRules;
  /** Those whose request has not come yet, the longest waiting first. */
  readonly #waiting = new Map<Socket, { readonly since: number; readonly timer: NodeJS.Timeout }>();
  readonly #hungUp = new WeakSet<Socket>();
  #count = 0;

  constructor(server: Server, rules: ConnectionRules) {
    this.#rules = rules;
    server.on('connection', (socket) => this.#admit(socket));
  }

  /** What still comes from one that was hung up on is not acted on. */
  isHungUp(socket: Socket): boolean {
    return this.#hungUp.has(socket);
  }

  /** Its request is there, whole. */
  heard(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket)?.timer);
    this.#waiting.delete(socket);
  }

  /** From now on for another request. */
  waits(socket: Socket): void {
    this.heard(socket);
    if (socket.destroyed) return;
    const timer = setTimeout(() => this.#hangUp(socket, 'late'), this.#rules.timeoutMs);
    this.#waiting.set(socket, { since: performance.now(), timer });
  }

  #admit(socket: Socket): void {
    this.#count += 1;
    socket.once('close', () => {
      this.#count -= 1;
      this.heard(socket);
    });
    if ((this.#count > mostConnections || isScarce(reservedFds)) && !this.#makeRoom()) this.#hangUp(socket, 'crowded');
    else this.waits(socket);
  }

  #makeRoom(): boolean {
    const [longest] = this.#waiting;
    if (longest === undefined || performance.now() - longest[1].since < graceMs) return false;
    this.#hangUp(longest[0], 'crowded');
    return true;
  }

  #hangUp(socket: Socket, why: 'late' | 'crowded'): void {
    this.heard(socket);
    this.#hungUp.add(socket);
    this.#rules.hangUp(socket, why);
  }
}

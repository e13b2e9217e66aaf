/**
 * Notices what arrives in sockets that Node does not read. The kernel tells by SIGIO, which names no socket: so whoever waits looks. A signal comes after what
 * it tells of, and all is looked at each time, so nothing is missed; nothing polls, and no thread waits.
 *
 * The handler of SIGIO is here alone, and stays once it is there: a signal under way when the last socket closes would kill this process, and a closed socket
 * that another process holds goes on signalling.
 */
import { readable, signalArrivals } from './socket-calls.ts';

/** Calls `look` at each SIGIO, until what it gives is called. */
export function onArrivals(look: () => void): () => void {
  if (!shared.isHandled) process.on('SIGIO', () => lookAll());
  shared.isHandled = true;
  shared.looks.add(look);
  return () => {
    shared.looks.delete(look);
  };
}

/**
 * Calls `onReadable` once what waits in a descriptor can be read, or ended; now if there is something, and at each arrival as long as something is there. Never
 * before it returned. `close` takes the signal off the open file (which other processes may share), before the descriptor is closed.
 */
export function watchReadable(fd: number, onReadable: () => void): { close(): void } {
  shared.watched ??= new Watched();
  return shared.watched.add(fd, onReadable);
}

class Watched {
  readonly #callbacks = new Map<number, () => void>();
  #isDue = false;

  constructor() {
    onArrivals(() => this.#look());
  }

  add(fd: number, onReadable: () => void): { close(): void } {
    signalArrivals(fd, true);
    this.#callbacks.set(fd, onReadable);
    this.#lookSoon();
    return {
      close: () => {
        // Once: the number may be another file's by then.
        if (this.#callbacks.get(fd) !== onReadable) return;
        this.#callbacks.delete(fd);
        try {
          signalArrivals(fd, false);
        } catch {
          // It was closed already.
        }
      },
    };
  }

  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#callbacks.size === 0) return;
    const waiting = [...this.#callbacks];
    const ready = new Set(readable(waiting.map(([fd]) => fd)));
    for (const [fd, onReadable] of waiting) {
      // One that came before may have closed it.
      if (ready.has(fd) && this.#callbacks.get(fd) === onReadable) callApart(onReadable);
    }
  }
}

/** Made with what is watched first. */
const shared: { readonly looks: Set<() => void>; isHandled: boolean; watched?: Watched } = {
  looks: new Set(),
  isHandled: false,
};

function lookAll(): void {
  for (const look of shared.looks) callApart(look);
}

/** One callback's fault must not keep the others from theirs: it is thrown afterwards. */
function callApart(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}

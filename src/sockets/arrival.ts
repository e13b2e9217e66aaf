import { watchReadable } from '../host/arrivals.ts';

/**
 * Tells when a connection waits in a listening socket, or a datagram in a bound one, without taking it: soon if one does, and at each arrival while one does.
 * The signal by which the kernel tells is a property of the open file, which all share who have the socket: `close` before others serve it, and before the
 * descriptor is closed.
 */
export function watchArrival(fd: number, onArrival: () => void): { close(): void } {
  return watchReadable(fd, onArrival);
}

/** One message to a datagram socket that somebody else has bound: as sd_notify(3) does. */
import { closeSync, writeSync } from 'node:fs';
import { connect, socket } from './socket-calls.ts';

/**
 * `path` is absolute, or `@name` for an abstract socket. Throws the system's errors (EAGAIN where the receiver's queue is full), and NativeMissing. Connected
 * anew each time: who receives may have been started again.
 */
export function sendDatagram(path: string, text: string): void {
  const fd = socket('unix', 'datagram', { nonblock: true });
  try {
    connect(fd, { family: 'unix', path });
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RouteName } from '../protocol/api.ts';
import { brokenOff, unreachable } from './failures.ts';
import { openAddress } from './http.ts';
import { type Asked, explainOlder, parseAnswer, parseBody, requestText, toError } from './message.ts';

const lineEnd = 10;

/**
 * The lines of an answer that goes on, as they come, until the daemon goes away; who reads slowly is waited for. Throws DAEMON_UNREACHABLE where nobody answers, the
 * daemon's error, and the signal's reason.
 */
export async function* streamLines(
  home: string,
  route: RouteName,
  { signal, ...asked }: Asked & { readonly signal: AbortSignal },
): AsyncGenerator<string> {
  signal.throwIfAborted();
  const socket = await connected(home, signal);
  const onAbort = () => socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // It may have been aborted since the connection was made.
    signal.throwIfAborted();
    socket.write(requestText(route, asked));
    let rest: Buffer = Buffer.alloc(0);
    let isHead = true;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (isHead) {
        const answer = parseAnswer(rest);
        if (answer === undefined) continue;
        if (answer.status >= 400) throw explainOlder(route, toError(parseBody(answer.body), answer.status));
        rest = answer.body;
        isHead = false;
      }
      for (let end = rest.indexOf(lineEnd); end >= 0; end = rest.indexOf(lineEnd)) {
        const line = rest.toString('utf8', 0, end);
        rest = rest.subarray(end + 1);
        yield line;
      }
    }
    signal.throwIfAborted();
    if (isHead) throw brokenOff();
  } catch (error) {
    signal.throwIfAborted();
    // A daemon that was killed resets the connection: that is an end as any other.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

async function connected(home: string, signal: AbortSignal): Promise<Socket> {
  const address = openAddress(home);
  const socket = connect(address.path);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw unreachable(home, error as NodeJS.ErrnoException);
  } finally {
    address.close();
  }
}

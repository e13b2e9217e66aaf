/**
 * One request to the daemon: HTTP/1.0 over a plain socket, one connection each. `node:http` would cost every command 14 ms to load.
 *
 * HTTP/1.0 has no chunks and no keep-alive: the answer ends where `content-length` says or where the daemon closes. An answer that is
 * shorter than announced, or a connection that closes without one, means that the daemon died at work: `details.phase` is then
 * `answer`, and what was asked may or may not have been done. With `phase: 'connect'` nothing was sent.
 */
import { connect } from 'node:net';
import { socketAddress } from '../host/home.ts';
import { pause } from '../host/pause.ts';
import type { Answers } from '../protocol/answers.ts';
import type { RouteName } from '../protocol/api.ts';
import { brokenOff, hungUp, silent, unreachable } from './failures.ts';
import { type Answer, type Asked, explainOlder, parseAnswer, parseBody, requestText, toError } from './message.ts';
import { isCrowded } from './unreachable.ts';

export { daemonPid } from './failures.ts';

export interface RequestOptions extends Asked {
  /** How long the daemon may stay silent; null waits without end. */
  readonly timeoutMs?: number | null;
  /** Aborted: it rejects with the signal's reason, and hangs up. */
  readonly signal?: AbortSignal | undefined;
}

/** A daemon that gives no byte for so long hangs: quick requests take milliseconds. */
export const quickTimeoutMs = 5_000;
/** One that has too many clients makes room as soon as the others are seen to say nothing. */
const crowdedTries = 4;
const crowdedPauseMs = 300;

/** Asks the daemon of a home; resolves with the answer's body. Throws the daemon's SteadError, DAEMON_UNREACHABLE or VERSION_SKEW. */
export async function request<R extends RouteName>(
  home: string,
  route: R,
  options: RequestOptions = {},
): Promise<Answers[R]> {
  for (let tries = 1; ; tries++) {
    try {
      return await requestOnce(home, route, options);
    } catch (error) {
      if (!isCrowded(error) || tries === crowdedTries) throw error;
    }
    await pause(crowdedPauseMs, options.signal);
  }
}

async function requestOnce<R extends RouteName>(home: string, route: R, options: RequestOptions): Promise<Answers[R]> {
  const answer = await exchange(home, requestText(route, options), options);
  const body = parseBody(answer.body);
  if (answer.status >= 400) throw explainOlder(route, toError(body, answer.status));
  return body as Answers[R];
}

function exchange(home: string, text: Buffer, { timeoutMs = quickTimeoutMs, signal }: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const address = openAddress(home);
    const socket = connect(address.path);
    let received: Buffer = Buffer.alloc(0);
    let isConnected = false;
    let isSettled = false;
    const settle = (outcome: Answer | Error | Aborted) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (!isConnected) address.close();
      // Not now: a quick command has printed its answer and ended by then, a millisecond sooner.
      if (signal?.aborted) socket.destroy();
      else setImmediate(() => socket.destroy());
      if (outcome instanceof Aborted) reject(outcome.reason);
      else if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onAbort = () => settle(new Aborted(signal!.reason));
    const onSilence = () => settle(silent(home, timeoutMs ?? 0));
    const timer = timeoutMs === null ? undefined : setTimeout(onSilence, timeoutMs);
    signal?.addEventListener('abort', onAbort);
    socket.on('connect', () => {
      if (!isSettled) address.close();
      isConnected = true;
    });
    socket.on('data', (chunk) => {
      clearTimeout(timer);
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = parseAnswer(received);
      if (answer?.isWhole) settle(answer);
    });
    socket.on('end', () => settle(parseAnswer(received) ?? brokenOff()));
    socket.on('error', (error) =>
      settle(isConnected ? (parseAnswer(received) ?? hungUp(error)) : unreachable(home, error)),
    );
    socket.write(text);
  });
}

/** Throws DAEMON_UNREACHABLE. */
export function openAddress(home: string): ReturnType<typeof socketAddress> {
  try {
    return socketAddress(home);
  } catch (error) {
    throw unreachable(home, error as NodeJS.ErrnoException);
  }
}

/** A reason may be anything. */
class Aborted {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

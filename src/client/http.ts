/**
 * One request to the daemon: HTTP/1.0 over a plain socket, one connection each. `node:http` would cost every command 14 ms to load.
 *
 * HTTP/1.0 has no chunks and no keep-alive: the answer ends where `content-length` says or where the daemon closes. An answer that is
 * shorter than announced, or a connection that closes without one, means that the daemon died at work: `details.phase` is then
 * `answer`, and what was asked may or may not have been done. With `phase: 'connect'` nothing was sent.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { encodeBytes } from '../host/bytes.ts';
import { socketAddress } from '../host/home.ts';
import { type RouteName, routes } from '../protocol/api.ts';
import { type ErrorBody, SteadError } from '../protocol/errors.ts';
import { protocolVersion } from '../protocol/version.ts';
import type { Answers } from './answers.ts';
import { isCrowded, notThere } from './unreachable.ts';

export interface RequestOptions {
  /** For `:sel` in the route's path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** How long the daemon may stay silent; null waits without end. */
  readonly timeoutMs?: number | null;
  readonly signal?: AbortSignal;
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
    await new Promise((resolve) => setTimeout(resolve, crowdedPauseMs));
  }
}

async function requestOnce<R extends RouteName>(home: string, route: R, options: RequestOptions): Promise<Answers[R]> {
  const answer = await exchange(home, requestText(route, options), options);
  const body = parseBody(answer.body);
  if (answer.status >= 400) throw explainOlder(route, toError(body, answer.status));
  return body as Answers[R];
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** As long as announced: no need to wait for the daemon to close. */
  readonly isWhole: boolean;
}

function requestText(route: RouteName, { params = {}, query = {}, body }: RequestOptions): Buffer {
  const [method, template] = routes[route];
  const path = template.replace(/:(\w+)/g, (_, key: string) => percentEncode(params[key] ?? ''));
  const search = Object.entries(query).map(([key, value]) => `${key}=${percentEncode(value)}`);
  const content = method === 'POST' ? Buffer.from(JSON.stringify(body ?? {})) : Buffer.alloc(0);
  const head = [
    `${method} ${path}${search.length > 0 ? `?${search.join('&')}` : ''} HTTP/1.0`,
    'host: stead',
    `x-stead-protocol: ${protocolVersion.major}.${protocolVersion.minor}`,
    ...(method === 'POST' ? ['content-type: application/json', `content-length: ${content.length}`] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), content]);
}

/** All but unreserved characters, by bytes: `encodeURIComponent` throws on raw bytes (lone surrogates). */
function percentEncode(text: string): string {
  const encode = (byte: number) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  return [...encodeBytes(text)].map((byte) => (isUnreserved(byte) ? String.fromCharCode(byte) : encode(byte))).join('');
}

const isUnreserved = (byte: number) => /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte));

function exchange(home: string, text: Buffer, { timeoutMs = quickTimeoutMs, signal }: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const address = openAddress(home);
    const socket = connect(address.path);
    let received: Buffer = Buffer.alloc(0);
    let isConnected = false;
    let isSettled = false;
    const settle = (outcome: Answer | Error) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (!isConnected) address.close();
      // Not now: a quick command has printed its answer and ended by then, a millisecond sooner.
      setImmediate(() => socket.destroy());
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onAbort = () => settle(signal?.reason);
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

function openAddress(home: string): ReturnType<typeof socketAddress> {
  try {
    return socketAddress(home);
  } catch (error) {
    throw unreachable(home, error as NodeJS.ErrnoException);
  }
}

/** Undefined if it isn't whole. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (!status) return undefined;
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  const body = bytes.subarray(headEnd + 4);
  if (length !== undefined && body.length < Number(length)) return undefined;
  return { status, body, isWhole: length !== undefined };
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw brokenOff();
  }
}

function toError(body: unknown, status: number): SteadError {
  const error = (body as { error?: ErrorBody } | null)?.error;
  if (typeof error?.code === 'string') return SteadError.fromBody(error);
  return new SteadError('INTERNAL', `The daemon answered with HTTP status ${status}`, { hint: 'stead daemon logs' });
}

/** A daemon of the same protocol that lacks a route was started by an older version. */
function explainOlder(route: RouteName, error: SteadError): SteadError {
  if (error.code !== 'UNKNOWN_ROUTE') return error;
  return new SteadError('VERSION_SKEW', `The daemon is older than this command and can't "${route}" yet`, {
    hint: 'stead daemon restart brings up this version; no app notices',
  });
}

function unreachable(home: string, error: NodeJS.ErrnoException): SteadError {
  const details = { phase: 'connect', errno: error.code ?? null };
  if (notThere.includes(error.code ?? '')) {
    return new SteadError('DAEMON_UNREACHABLE', `The daemon is not running (home ${home})`, {
      hint: 'stead daemon restart',
      details,
    });
  }
  const why = error.code === 'EACCES' ? 'its home belongs to another user' : error.message;
  return new SteadError('DAEMON_UNREACHABLE', `The daemon cannot be reached: ${why} (home ${home})`, { details });
}

function silent(home: string, timeoutMs: number): SteadError {
  const pid = daemonPid(home);
  const who = pid === undefined ? 'The daemon' : `The daemon (pid ${pid})`;
  return new SteadError('DAEMON_UNREACHABLE', `${who} has not answered for ${timeoutMs / 1000} s`, {
    hint: 'stead daemon restart (your programs run on)',
    details: { phase: 'silent', pid: pid ?? null },
  });
}

/** What we wrote was not read, or not to its end: so it was not acted on. */
function hungUp(error: NodeJS.ErrnoException): SteadError {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') return brokenOff();
  const message = 'The daemon hung up before it was asked: it ended, or has too many clients; nothing was done';
  return new SteadError('DAEMON_UNREACHABLE', message, {
    hint: 'try again; stead daemon logs says why',
    details: { phase: 'crowded' },
  });
}

function brokenOff(): SteadError {
  return new SteadError(
    'DAEMON_UNREACHABLE',
    'The daemon ended before it answered: what was asked may have been done or not',
    {
      hint: 'stead list shows what is; stead daemon logs says why',
      details: { phase: 'answer' },
    },
  );
}

/** The pid that the daemon of a home wrote down, whether it lives or not. */
export function daemonPid(home: string): number | undefined {
  try {
    const pid: unknown = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')).pid;
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

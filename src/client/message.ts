/** Requests and answers of the control API as bytes: HTTP/1.0, which has no chunks and no keep-alive. */
import { encodeBytes } from '../host/bytes.ts';
import { type RouteName, routes } from '../protocol/api.ts';
import { type ErrorBody, SteadError } from '../protocol/errors.ts';
import { protocolVersion } from '../protocol/version.ts';
import { brokenOff } from './failures.ts';

/** What of a request is said in it. */
export interface Asked {
  /** For `:sel` in the route's path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** As long as announced: no need to wait for the daemon to close. */
  readonly isWhole: boolean;
}

export function requestText(route: RouteName, { params = {}, query = {}, body }: Asked): Buffer {
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

/** Undefined if it isn't whole. */
export function parseAnswer(bytes: Buffer): Answer | undefined {
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

export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw brokenOff();
  }
}

export function toError(body: unknown, status: number): SteadError {
  const error = (body as { error?: ErrorBody } | null)?.error;
  if (typeof error?.code === 'string') return SteadError.fromBody(error);
  return new SteadError('INTERNAL', `The daemon answered with HTTP status ${status}`, { hint: 'stead daemon logs' });
}

/** A daemon of the same protocol that lacks a route was started by an older version. */
export function explainOlder(route: RouteName, error: SteadError): SteadError {
  if (error.code !== 'UNKNOWN_ROUTE') return error;
  return new SteadError('VERSION_SKEW', `The daemon is older than this command and can't "${route}" yet`, {
    hint: 'stead daemon restart brings up this version; no app notices',
  });
}

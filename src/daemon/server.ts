/**
 * The control API's server: HTTP/1.1 on the home's Unix socket, which only its owner can reach. It is bound under another name and renamed, so that
 * the name always leads to somebody who answers, and a stale socket is replaced by the one who holds the lock.
 */
import { setMaxListeners } from 'node:events';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { isOutOfFds } from '../host/fds.ts';
import { socketAddress } from '../host/home.ts';
import { type RouteName, routes } from '../protocol/api.ts';
import { type ErrorCode, errorCatalogue, SteadError } from '../protocol/errors.ts';
import { protocolVersion } from '../protocol/version.ts';
import { Connections } from './connections.ts';

export interface Request {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}
/** An answer that goes on until its client goes away. */
export class Streamed {
  readonly type: string;
  /** Given a function that writes and says how many bytes have not been taken yet, and one that ends it. */
  readonly begin: (write: (text: string) => number, end: (text: string) => void) => void;

  constructor(type: string, begin: Streamed['begin']) {
    this.type = type;
    this.begin = begin;
  }
}

export type Handler = (request: Request) => unknown | Promise<unknown>;
export type Handlers = Readonly<Record<RouteName, Handler>>;

/** A request holds an environment (2 MB at the most, by the kernel's limit) and arguments. */
const largestBody = 8 * 1024 * 1024;
/** For the head of a request and for the whole of it: a local client needs a millisecond. */
const requestTimeoutMs = 10_000;

export async function listen(home: string, handlers: Handlers, log: (line: string) => void): Promise<Server> {
  // Node itself looks for late requests twice a minute only.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 5_000 });
  const connections = new Connections(server, { timeoutMs: requestTimeoutMs, hangUp });
  const table = compile(handlers);
  server.on('request', (request, response) => {
    if (!connections.isHungUp(request.socket)) void answer(table, { request, response, connections, log });
  });
  server.on('clientError', refuse);
  const temporary = `stead.sock.${process.pid}`;
  const address = socketAddress(home, temporary);
  try {
    rmSync(join(home, temporary), { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.path, () => resolve());
    });
    chmodSync(join(home, temporary), 0o600);
    renameSync(join(home, temporary), join(home, 'stead.sock'));
  } finally {
    address.close();
  }
  server.on('error', (error) => log(`server: ${error.message}`));
  return server;
}

type Table = readonly { readonly method: string; readonly parts: readonly string[]; readonly handler: Handler }[];

const compile = (handlers: Handlers): Table =>
  (Object.keys(routes) as RouteName[]).map((name) => {
    const [method, path] = routes[name];
    return { method, parts: path.split('/'), handler: handlers[name] };
  });

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connections: Connections;
  readonly log: (line: string) => void;
}

async function answer(table: Table, { request, response, connections, log }: Exchange): Promise<void> {
  const gone = new AbortController();
  // A request may wait for any number of instances.
  setMaxListeners(0, gone.signal);
  const { socket } = request;
  response.once('close', () => {
    gone.abort(new SteadError('TIMED_OUT', 'The client went away.'));
    connections.waits(socket);
  });
  try {
    checkProtocol(request);
    const { handler, params, query } = route(table, request);
    const body = request.method === 'POST' ? await readBody(request) : await passOver(request);
    connections.heard(socket);
    const { headers } = request;
    const result = await handler({ params, query, headers, body, signal: gone.signal });
    if (result instanceof Streamed) stream(response, result);
    else send(response, 200, result);
  } catch (error) {
    // A client that goes away over its own request is no fault of ours.
    if (!(error instanceof SteadError) && !request.errored)
      log(`${request.method} ${request.url}: ${(error as Error).stack}`);
    await passOver(request);
    const known = error instanceof SteadError ? error : asSteadError(error as Error);
    send(response, errorCatalogue[known.code].status, { error: known.toBody() });
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const text = Buffer.from(`${JSON.stringify(value ?? {})}\n`);
  response.writeHead(status === 200 ? 200 : Math.max(status, 400), {
    'content-type': 'application/json',
    'content-length': text.length,
  });
  response.end(text);
}

/** Without a length and with the connection closed at its end: an HTTP/1.0 client reads it as well. */
function stream(response: ServerResponse, { type, begin }: Streamed): void {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' });
  begin(
    (text) => {
      response.write(text);
      return response.writableLength;
    },
    (text) => response.end(text),
  );
}

/** What is no HTTP is answered all the same, for whoever wrote it by hand. */
function refuse(error: Error, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy();
  const code = (error as NodeJS.ErrnoException).code;
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  sayAndClose(socket, status, new SteadError('BAD_REQUEST', `This is no HTTP request: ${error.message}.`));
}

function hangUp(socket: Socket, why: 'late' | 'crowded'): void {
  if (why === 'late') {
    const message = `No whole request came within ${requestTimeoutMs / 1000} s.`;
    sayAndClose(socket, 408, new SteadError('BAD_REQUEST', message));
    return;
  }
  const error = new SteadError('DAEMON_UNREACHABLE', 'The daemon has too many connections; nothing was done.', {
    hint: `try again; prlimit --pid ${process.pid} --nofile shows how many files it may open`,
    details: { phase: 'crowded' },
  });
  sayAndClose(socket, 503, error);
}

function sayAndClose(socket: Duplex, status: number, error: SteadError): void {
  const body = `${JSON.stringify({ error: error.toBody() })}\n`;
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'content-type: application/json', 'connection: close'];
  const text = [...head, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
  socket.end(text, () => socket.destroy());
}

function asSteadError(error: Error): SteadError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || code === 'EIO') {
    return new SteadError('DISK' satisfies ErrorCode, `The home can't be written: ${error.message}.`, {
      hint:
        code === 'EROFS'
          ? 'its file system is read-only: mount it writable, then say it again: nothing was changed'
          : 'make room (df -h), then say it again: nothing was changed',
    });
  }
  if (isOutOfFds(error)) {
    return new SteadError('DAEMON_UNREACHABLE', `The daemon can't open another file: ${error.message}.`, {
      hint: `let it have more: prlimit --pid ${process.pid} --nofile=4096`,
    });
  }
  return new SteadError('INTERNAL', `This is a fault of stead's own: ${error.message}.`, {
    hint: 'stead daemon logs has the details',
  });
}

function checkProtocol(request: IncomingMessage): void {
  const theirs = request.headers['x-stead-protocol'];
  if (theirs === undefined) return;
  const major = Number.parseInt(String(theirs), 10);
  if (major === protocolVersion.major) return;
  const [what, hint] =
    major > protocolVersion.major
      ? [
          'The daemon is older than this command',
          'stead daemon restart brings up the version of this command; no app notices',
        ]
      : ['The daemon is newer than this command', 'use the newer stead (which -a stead)'];
  throw new SteadError(
    'VERSION_SKEW',
    `${what}: it speaks protocol ${protocolVersion.major}, the command ${String(theirs)}.`,
    { hint },
  );
}

function route(
  table: Table,
  request: IncomingMessage,
): { handler: Handler; params: Record<string, string>; query: URLSearchParams } {
  const [path, query] = (request.url ?? '/').split('?', 2);
  const parts = path!.split('/');
  for (const entry of table) {
    const params = entry.method === request.method ? match(entry.parts, parts) : null;
    if (params) return { handler: entry.handler, params, query: new URLSearchParams(query ?? '') };
  }
  throw new SteadError('UNKNOWN_ROUTE', `There is no ${request.method} ${path}.`);
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = Object.create(null);
  for (const [at, part] of pattern.entries()) {
    if (part.startsWith(':')) {
      try {
        params[part.slice(1)] = decodeURIComponent(parts[at]!);
      } catch {
        return null;
      }
    } else if (part !== parts[at]) return null;
  }
  return params;
}

/** A body that nobody asked for is read all the same, within bounds: to who still writes, a closed connection would be all of the answer. */
async function passOver(request: IncomingMessage): Promise<null> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (request.complete || request.readableDidRead || (length === undefined && encoding === undefined)) return null;
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestBody) break;
    }
  } catch {
    // It was broken off.
  }
  return null;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new SteadError('BAD_REQUEST', 'The body must be JSON, with content-type application/json.');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when it is too large: that would take the answer along.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new SteadError('TOO_LARGE', `The body is larger than ${largestBody} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new SteadError('BAD_REQUEST', 'The body is no JSON.');
  }
}

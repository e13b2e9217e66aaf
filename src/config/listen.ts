/**
 * Addresses of `listen`: `5000`, `127.0.0.1:5000`, `[::1]:5000`, `udp:5353`, `unix:/run/x.sock`, each with `NAME=` before it. An address is bound before any
 * program runs, so it must be whole: no name that means several addresses, no port that the kernel chooses.
 */
import { SteadError } from '../protocol/errors.ts';
import type { ListenSpec } from '../protocol/spec.ts';
import { quote } from './values.ts';

/** Those that a launcher's shell can number: 3 to 7. */
export const mostSockets = 5;

/** `sun_path` has room for these and the byte that ends it. */
const longestPath = 107;

export function parseListen(text: string, shown: string): ListenSpec {
  const { name, rest } = splitName(text);
  if (name !== null) checkName(name, shown);
  if (rest.startsWith('unix:')) return { kind: 'unix', name, path: checkedPath(rest.slice('unix:'.length), shown) };
  const [, kind = 'tcp', address = ''] = /^(?:(tcp|udp):)?(.*)$/s.exec(rest)!;
  return { kind: kind as 'tcp' | 'udp', name, ...checkedAddress(address, { text, shown }) };
}

/** All of an app's, each once. */
export function parseListens(texts: readonly string[], shown: string): readonly ListenSpec[] {
  const all = texts.map((text) => parseListen(text, shown));
  if (all.length > mostSockets)
    throw invalid(`${shown}: a program is given ${mostSockets} sockets at most, and these are ${all.length}`);
  for (const [at, one] of all.entries()) {
    const other = all.findIndex((each) => isSame(each, one));
    if (other < at) throw invalid(`${shown}: ${quote(texts[at]!)} is in ${quote(texts[other]!)} already`);
  }
  return all;
}

/** The same with the path of a Unix socket made absolute. */
export function absoluteListen(text: string, resolve: (path: string) => string): string {
  const { name, rest } = splitName(text);
  if (!rest.startsWith('unix:')) return text;
  return `${name === null ? '' : `${name}=`}unix:${resolve(rest.slice('unix:'.length))}`;
}

/** A name has no colon, so a path that holds a `=` is none. */
function splitName(text: string): { readonly name: string | null; readonly rest: string } {
  const [, name, rest] = /^([^:=/]*)=(.*)$/s.exec(text) ?? [];
  return name === undefined ? { name: null, rest: text } : { name, rest: rest! };
}

/** As systemd has it for FileDescriptorName=. */
function checkName(name: string, shown: string): void {
  if (/^[\x20-\x7e]{1,255}$/.test(name)) return;
  throw invalid(
    `${shown}: ${quote(name)} can't name a socket: a name has up to 255 printable ASCII characters, none of them a colon`,
    `${shown} http=8080`,
  );
}

function checkedPath(path: string, shown: string): string {
  if (path === '' || path.endsWith('/') || path.startsWith('@') || /[\0\n]/.test(path))
    throw invalid(`${shown} takes the path of a socket after unix:, not ${quote(path)}`, `${shown} unix:/run/web.sock`);
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestPath) return path;
  throw invalid(`${shown}: the path of a socket has ${longestPath} bytes at most, and ${quote(path)} has ${bytes}`);
}

interface Said {
  /** All of the entry. */
  readonly text: string;
  readonly shown: string;
}

/** `5000`, `:5000`, `*:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
function checkedAddress(address: string, said: Said): { readonly host: string | null; readonly port: number } {
  const [, host, digits] = /^(?:(.*):)?(\d{1,5})$/s.exec(address) ?? [];
  if (digits === undefined) throw noAddress(said);
  return { host: checkedHost(host ?? '', said), port: checkedPort(Number(digits), said) };
}

function checkedPort(port: number, { text, shown }: Said): number {
  if (port >= 1 && port <= 65_535) return port;
  if (port !== 0) throw invalid(`${shown}: ${quote(text)} has no port from 1 to 65535`);
  throw invalid(
    `${shown}: port 0 would be another one each time it is bound`,
    'choose one; a program that listens on port 0 itself shares what it gets with its other instances',
  );
}

function checkedHost(host: string, { text, shown }: Said): string | null {
  if (host === '' || host === '*') return null;
  const { isIPv4, isIPv6, SocketAddress } = net();
  if (isIPv4(host)) return host;
  const inner = /^\[(.*)\]$/.exec(host)?.[1];
  // As the kernel writes it; what has a zone is left as it is.
  if (inner !== undefined && isIPv6(inner))
    return inner.includes('%') ? inner : new SocketAddress({ address: inner, family: 'ipv6' }).address;
  if (isIPv6(host)) throw invalid(`${shown}: an IPv6 address stands in brackets`, `${shown} '[${host}]:PORT'`);
  if (host === 'localhost')
    throw invalid(
      `${shown} takes an address, and "localhost" may mean two of them`,
      `${shown} ${text.replace('localhost', '127.0.0.1')}`,
    );
  if (/^[\w.-]+$/.test(host)) throw invalid(`${shown} takes an address of this machine, not the name ${quote(host)}`);
  throw noAddress({ text, shown });
}

const noAddress = ({ text, shown }: Said): SteadError =>
  invalid(
    `${shown} takes PORT, ADDRESS:PORT, udp:PORT or unix:PATH, with NAME= before it or without, not ${quote(text)}`,
    text.startsWith('/') ? `did you mean ${shown} unix:${text}?` : `${shown} 127.0.0.1:5000`,
  );

/** One can't be bound beside the other. */
function isSame(a: ListenSpec, b: ListenSpec): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  return a.kind === b.kind && a.port === b.port && (a.host === null || b.host === null || a.host === b.host);
}

/** Loaded for those who listen alone: it costs milliseconds. */
const net = (): typeof import('node:net') => process.getBuiltinModule('node:net');

function invalid(message: string, hint?: string): SteadError {
  return new SteadError('OPTION_INVALID', message, hint === undefined ? {} : { hint });
}

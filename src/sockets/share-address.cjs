/** Keys of addresses (docs/decisions/014-shared-sockets.md), and whether a socket is what its key says. */
const { statSync } = require('node:fs');
const { resolve } = require('node:path');

const ipv6Only = 1;
const reusePort = 2;

module.exports = { fileOf, hasAddress, keyOf, keysFor, placeOf, textOf };

/**
 * What a server is about to listen on: {kind: 'tcp' | 'unix', host (null: all), port, family, flags, path}, or null for what can't be shared. The arguments
 * are those of Node's `_listen2`.
 */
function placeOf([address, port, addressType, , fd, flags]) {
  if (typeof fd === 'number' && fd >= 0) return null;
  if (port === -1 && addressType === -1) return typeof address === 'string' ? unixPlace(address) : null;
  if (typeof port !== 'number' || port < 0 || (flags & reusePort) !== 0) return null;
  const isOnlyIpv6 = (flags & ipv6Only) !== 0 && (!address || address.includes(':'));
  return { kind: 'tcp', host: canonical(address), port, isOnlyIpv6 };
}

function unixPlace(path) {
  const isAbstract = path.startsWith('\0');
  return { kind: 'unix', isAbstract, path: isAbstract ? `@${path.slice(1)}` : resolve(path) };
}

/** An IPv6 address can be written in many ways. All addresses are null. */
function canonical(address) {
  if (!address || address === '::') return null;
  if (!address.includes(':') || address.includes('%')) return address;
  const { SocketAddress } = require('node:net');
  const written = SocketAddress ? new SocketAddress({ address, family: 'ipv6' }).address : address;
  return written === '::' ? null : written;
}

function keyOf({ kind, host, port, isOnlyIpv6, path }, nth) {
  if (kind === 'unix') return `unix:${path}`;
  const number = port === 0 ? `0#${nth}` : port;
  return `${kind}:${host || '*'}:${number}${isOnlyIpv6 && host === null ? ':6' : ''}`;
}

/** Keys that serve, the best first: who listens on all addresses serves who asks for all of IPv4. */
function keysFor({ kind, host, port, isOnlyIpv6 }, key) {
  if (kind !== 'tcp' || port === 0 || isOnlyIpv6) return [key];
  if (host === '0.0.0.0') return [key, `tcp:*:${port}`];
  return host === null ? [key, `tcp::::${port}`] : [key];
}

/** Whether a handle is (still) bound to that place: one that was let go has lost its address. */
function hasAddress(handle, { host, port }) {
  const name = {};
  if (handle.getsockname(name) !== 0 || !name.port) return false;
  if (port !== 0 && name.port !== port) return false;
  return host === null || host === '0.0.0.0' ? isAny(name.address) : name.address === host;
}

function isAny(address) {
  return address === '::' || address === '0.0.0.0';
}

/** `[::]:5000`, `127.0.0.1:5000`, or a path. */
function textOf(handle, place) {
  if (place.kind === 'unix') return place.path;
  const name = {};
  handle.getsockname(name);
  return `${name.family === 'IPv6' ? `[${name.address}]` : name.address}:${name.port}`;
}

/** Which file a path names, null if none. */
function fileOf(path) {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** What inherited sockets are bound to: proc(5) `net/tcp`, `net/tcp6`, `net/unix`, by their inodes. */
const { fstatSync, readFileSync } = require('node:fs');
const { isIPv4, SocketAddress } = require('node:net');
const { fileOf } = require('./share-address.cjs');

module.exports = { knownOf };

/** Key (docs/decisions/014-shared-sockets.md) → {fd, path, file}, the last two of Unix sockets. */
function knownOf(fds) {
  const byInode = new Map();
  for (const name of ['tcp', 'tcp6']) {
    for (const [, local, , , , , , , , inode] of rows(name)) if (local) byInode.set(inode, tcpKey(local));
  }
  for (const row of rows('unix')) if (row[7]) byInode.set(row[6], `unix:${row.slice(7).join(' ')}`);
  const known = new Map();
  for (const fd of fds) {
    const key = byInode.get(String(fstatSync(fd).ino));
    if (!key) continue;
    const path = key.startsWith('unix:/') ? key.slice('unix:'.length) : null;
    known.set(key, { fd, path, file: path && fileOf(path) });
  }
  return known;
}

function rows(name) {
  try {
    const lines = readFileSync(`/proc/self/net/${name}`, 'utf8').split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

/** `0100007F:1388`: words of the address as this machine has them in memory, the port as a number. */
function tcpKey(local) {
  const [address, port] = local.split(':');
  const words = address.match(/.{8}/g).map((word) => Buffer.from(word, 'hex'));
  // TypedArrays are in the order of the machine.
  const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const bytes = Buffer.concat(isLittle ? words.map((word) => word.reverse()) : words);
  const number = Number.parseInt(port, 16);
  if (bytes.every((byte) => byte === 0)) return `tcp:*:${number}`;
  if (bytes.length === 4) return `tcp:${bytes.join('.')}:${number}`;
  const groups = bytes.toString('hex').match(/.{4}/g).join(':');
  const host = new SocketAddress({ address: groups, family: 'ipv6' }).address;
  return `tcp:${isIPv4(host) ? `::ffff:${host}` : host}:${number}`;
}

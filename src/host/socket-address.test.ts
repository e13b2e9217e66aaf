import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { decodeAddress, encodeAddress, ipBytes, ipText, type SocketAddress } from './socket-address.ts';

test('IP addresses are read in each of their forms, and written in the shortest', () => {
  const forms = [
    ['127.0.0.1', '127.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1::', '1::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['fe80::1%lo', 'fe80::1'],
  ] as const;
  for (const [from, to] of forms) assert.equal(ipText(ipBytes(from)), to);
  for (const wrong of ['', 'localhost', '1.2.3', '::g', '1:2:3'])
    assert.throws(() => ipBytes(wrong), /is no IP address/);
});

test('an address comes back as it was encoded', () => {
  const addresses: SocketAddress[] = [
    { family: 'ip4', host: '127.0.0.1', port: 65_535 },
    { family: 'ip6', host: '2001:db8::1', port: 80 },
    { family: 'unix', path: '/run/a b.sock' },
    { family: 'unix', path: '/run/\udcff.sock' },
    { family: 'unix', path: '@name' },
  ];
  for (const address of addresses) assert.deepEqual(decodeAddress(encodeAddress(address)), address);
  assert.deepEqual(decodeAddress(Buffer.from([1, 0])), { family: 'unix', path: '' });
  assert.equal(decodeAddress(Buffer.from([16, 0, 0, 0])), null);
  assert.equal(decodeAddress(Buffer.alloc(0)), null);
});

test("a zone is its interface's number", () => {
  const scopeIn = (host: string) => encodeAddress({ family: 'ip6', host, port: 1 }).readUInt32LE(24);
  assert.equal(scopeIn('fe80::1%7'), 7);
  assert.equal(scopeIn('fe80::1'), 0);
  for (const [name, each] of Object.entries(networkInterfaces())) {
    const scope = each!.find((address) => address.family === 'IPv6' && address.scopeid !== 0);
    if (scope?.family === 'IPv6') assert.equal(scopeIn(`fe80::1%${name}`), scope.scopeid);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesToBind, addressInList, addressInWords, agrees, keyOf, nameOf, parseKey } from './address.ts';

const tcp = (host: string | null, port: number, name: string | null = null) =>
  ({ kind: 'tcp', name, host, port }) as const;
const udp = (host: string | null, port: number) => ({ kind: 'udp', name: null, host, port }) as const;

test('each socket of a spec has a key, a name, and words', () => {
  const unix = { kind: 'unix', name: null, path: '/run/x.sock' } as const;
  const cases = [
    [tcp(null, 5000), 'tcp:*:5000', 'tcp-5000', 'port 5000'],
    [tcp('::', 5000), 'tcp:*:5000', 'tcp-5000', 'port 5000'],
    [tcp('0.0.0.0', 5000), 'tcp:0.0.0.0:5000', 'tcp-5000', '0.0.0.0:5000'],
    [tcp('127.0.0.1', 80, 'http'), 'tcp:127.0.0.1:80', 'http', '127.0.0.1:80'],
    [tcp('::1', 5000), 'tcp:::1:5000', 'tcp-5000', '[::1]:5000'],
    [udp(null, 53), 'udp6:*:53', 'udp-53', 'UDP port 53'],
    [udp('0.0.0.0', 53), 'udp4:*:53', 'udp-53', 'UDP port 53'],
    [udp('::1', 53), 'udp6:::1:53', 'udp-53', 'UDP [::1]:53'],
    [unix, 'unix:/run/x.sock', 'unix', '/run/x.sock'],
  ] as const;
  for (const [spec, key, name, words] of cases) {
    assert.equal(keyOf(spec), key);
    assert.equal(nameOf(spec), name);
    assert.equal(addressInWords(key), words);
    assert.ok(parseKey(key), key);
  }
});

test('keys are parsed', () => {
  const nothing = { host: null, port: 0, path: null, ipv6Only: false, nth: null };
  const cases = {
    'tcp:*:5000': { kind: 'tcp', port: 5000 },
    'tcp:*:5000:6': { kind: 'tcp', port: 5000, ipv6Only: true },
    'tcp:*:0#1': { kind: 'tcp', nth: 1 },
    'tcp:127.0.0.1:0#12': { kind: 'tcp', host: '127.0.0.1', nth: 12 },
    'tcp:::1:5000': { kind: 'tcp', host: '::1', port: 5000 },
    // Not port 5000 of ::1 for IPv6 alone: that is an address, too.
    'tcp:::1:5000:6': { kind: 'tcp', host: '::1:5000', port: 6 },
    'tcp:fe80::1%eth0:80': { kind: 'tcp', host: 'fe80::1%eth0', port: 80 },
    'udp4:*:5353': { kind: 'udp4', port: 5353 },
    'udp6:::1:5353': { kind: 'udp6', host: '::1', port: 5353 },
    'unix:/run/a:b#1': { kind: 'unix', path: '/run/a:b#1' },
    'unix:@x': { kind: 'unix', path: '@x' },
  };
  for (const [key, parsed] of Object.entries(cases)) assert.deepEqual(parseKey(key), { ...nothing, ...parsed }, key);
});

test('what is no key is null', () => {
  const wrong = [
    '',
    'tcp',
    'tcp:*',
    'tcp:5000',
    'tcp:*:65536',
    'tcp:*:123456',
    'tcp:*:5000#1',
    'tcp:*:0#0',
    'tcp:localhost:80',
    'tcp:**:80',
    'udp4:::1:5',
    'udp4:*:5:6',
    'udp6:127.0.0.1:5',
    'udp:*:5',
    'unix:',
    'unix:x.sock',
    'unix:@',
    'unix:/a\0b',
    'tcp:*:5000\n',
  ];
  for (const key of wrong) assert.equal(parseKey(key), null, key);
  assert.equal(addressInWords('nonsense'), 'nonsense');
  assert.equal(addressInWords('tcp:*:0#1'), 'port any');
  assert.equal(addressInWords('tcp:*:5000:6'), 'port 5000 of IPv6');
});

test('all addresses are IPv6 and IPv4 at once, and where there is no IPv6, IPv4', () => {
  const families = (key: string) => addressesToBind(parseKey(key)!).map(({ family }) => family);
  assert.deepEqual(families('tcp:*:5000'), ['ip6', 'ip4']);
  assert.deepEqual(families('tcp:*:5000:6'), ['ip6']);
  assert.deepEqual(families('udp4:*:5000'), ['ip4']);
  assert.deepEqual(families('udp6:*:5000'), ['ip6', 'ip4']);
  assert.deepEqual(families('tcp:::1:5000'), ['ip6']);
  assert.deepEqual(families('unix:/x'), ['unix']);
});

test('a path agrees with what the kernel knows of how it was bound', () => {
  const isSame = (path: string, bound: string) => agrees(parseKey(`unix:${path}`)!, { family: 'unix', path: bound });
  assert.ok(isSame('/run/x.sock', '/run/x.sock'));
  assert.ok(isSame('/run/x.sock', 'x.sock'));
  assert.ok(isSame('/run/x.sock', './run/x.sock'));
  assert.ok(isSame('/run/x.sock', '/proc/self/fd/7/x.sock'));
  assert.ok(isSame('@x', '@x'));
  assert.ok(isSame('@x', '@x\0\0\0'));
  assert.ok(!isSame('/run/x.sock', '/tmp/x.sock'));
  assert.ok(!isSame('/run/x.sock', 'y.sock'));
  assert.ok(!isSame('/run/x.sock', '@/x.sock'));
  assert.ok(!isSame('@x', 'x'));
  assert.ok(!isSame('/run/x.sock', ''));
});

test('the list shows an address shortly', () => {
  const shown = ['tcp:*:5000', 'tcp:::1:80', 'tcp:127.0.0.1:80', 'udp6:*:53', 'unix:/run/x.sock', 'tcp:*:0#1'].map(
    addressInList,
  );
  assert.deepEqual(shown, ['5000', '[::1]:80', '127.0.0.1:80', '53/udp', '/run/x.sock', null]);
});

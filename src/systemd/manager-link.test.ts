import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { waitFor } from '../../test/support/wait.ts';
import { openDatagramSocket } from '../host/datagrams.ts';
import { ManagerLink } from './manager-link.ts';

/** What systemd would hear. */
function listening(t: TestContext, more: NodeJS.ProcessEnv = {}) {
  const path = join(temporaryDirectory(t, 'link'), 'notify');
  const heard: string[] = [];
  const socket = openDatagramSocket(path, {}, ({ text }) => heard.push(text.toString()));
  t.after(() => socket.close());
  const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: path, HOME: '/root', ...more };
  const logged: string[] = [];
  const link = new ManagerLink(env, (line) => logged.push(line));
  return { env, link, heard, logged };
}

test('what is of the unit alone is taken out of the environment', (t) => {
  const own = { INVOCATION_ID: 'x', JOURNAL_STREAM: '8:1', STEAD_UNIT: 'stead.service', STEAD_UNIT_SCOPE: 'user' };
  const { env, link } = listening(t, { ...own, WATCHDOG_USEC: '1000000', WATCHDOG_PID: String(process.pid) });
  assert.deepEqual(env, { HOME: '/root' });
  assert.deepEqual(link.unit, { name: 'stead.service', scope: 'user' });
  assert.equal(link.isService, true);
});

test('ready, then the watchdog is fed twice as often as it waits', async (t) => {
  const { link, heard } = listening(t, { WATCHDOG_USEC: '100000', WATCHDOG_PID: String(process.pid) });
  const began = performance.now();
  link.ready('2 apps');
  // Its timer keeps no process alive by itself.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  await waitFor('four meals', () => heard.filter((text) => text === 'WATCHDOG=1').length >= 4);
  assert.equal(heard[0], 'READY=1\nSTATUS=2 apps');
  assert.ok(performance.now() - began >= 150);
});

test("another process's watchdog is not fed", async (t) => {
  const { link, heard } = listening(t, { WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' });
  link.ready('1 app');
  link.stopping('ending');
  await waitFor('both', () => heard.length === 2);
  assert.deepEqual(heard, ['READY=1\nSTATUS=1 app', 'STOPPING=1\nSTATUS=ending']);
});

test('a status is said at most once a second, and only if it is another one', async (t) => {
  const { link, heard } = listening(t);
  link.ready('1 app');
  let status = '2 apps';
  for (let at = 0; at < 100; at++) link.statusChanged(() => status);
  status = '3 apps';
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  await waitFor('the status', () => heard.length === 2);
  assert.equal(heard[1], 'STATUS=3 apps');
  link.statusChanged(() => '3 apps');
  link.extend(30_000);
  await waitFor('one more', () => heard.length === 3);
  assert.equal(heard[2], 'EXTEND_TIMEOUT_USEC=30000000');
});

test('a reload names its time and ends with READY', async (t) => {
  const { link, heard } = listening(t);
  link.ready('1 app');
  link.reloading();
  link.reloaded();
  await waitFor('all', () => heard.length === 3);
  assert.match(heard[1]!, /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  assert.equal(heard[2], 'READY=1\nSTATUS=1 app');
});

test('a socket that nobody reads is said once, and harms nothing', () => {
  const logged: string[] = [];
  const link = new ManagerLink({ NOTIFY_SOCKET: '/nowhere/notify' }, (line) => logged.push(line));
  link.ready('1 app');
  link.stopping('ending');
  assert.equal(logged.length, 1);
  assert.match(logged[0]!, /systemd can't be told READY=1: .*ENOENT/);
});

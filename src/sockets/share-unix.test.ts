/** Unix sockets are the daemon's from the first run on: Node removes the file of one that it has bound. */
import assert from 'node:assert/strict';
import { existsSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ShareDaemon } from '../../test/support/share.ts';
import { greeting, greets } from '../../test/support/share-greeting.ts';

test('a Unix socket is the daemon’s from the first run on, so no end of a program removes it', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const path = join(daemon.home, 'a.sock');
  const first = await daemon.program(greets(JSON.stringify(path)));
  await first.prints(/listening\n/);
  assert.equal(first.out().split('\n')[0], JSON.stringify([true, path]));
  assert.equal((await daemon.event('asked', { key: `unix:${path}` })).had, true);
  const second = await daemon.program(`${greets(JSON.stringify(path))}; process.on('SIGTERM', () => s.close());`);
  await second.prints(/listening\n/);
  assert.deepEqual(daemon.events, []);
  second.signal('SIGTERM');
  assert.equal(await second.ended(), 0);
  assert.deepEqual(
    second.said().map((one) => one.do),
    ['listen', 'close'],
  );
  assert.equal(await greeting(path), `from ${first.pid}`);
});

test('a program that removes its Unix socket before it listens gets it again', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const path = join(daemon.home, 'a.sock');
  const source = `try { require('node:fs').unlinkSync(${JSON.stringify(path)}); } catch {} ${greets(JSON.stringify(path))}`;
  for (const _ of [1, 2]) {
    const program = await daemon.program(source);
    await program.prints(/listening\n/);
    assert.equal(await greeting(path), `from ${program.pid}`);
    program.signal('SIGKILL');
    await program.ended();
  }
});

test('who connects never finds it missing, though each program removes it before it listens, and as it ends', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const path = join(daemon.home, 'a.sock');
  const remove = `const { unlinkSync, unlink, rmSync, promises } = require('node:fs'); const path = ${JSON.stringify(path)};`;
  const forms = [
    'unlinkSync(path)',
    'rmSync(path, { force: true })',
    'unlink(path, (error) => error && process.abort())',
    'promises.unlink(Buffer.from(path))',
    'promises.rm(path)',
    "process.chdir(require('node:path').dirname(path)); unlinkSync('a.sock')",
  ];
  const first = await daemon.program(greets(JSON.stringify(path)));
  await first.prints(/listening\n/);
  const { ino } = statSync(path);
  for (const form of forms) {
    const program = await daemon.program(
      `${remove} ${form}; ${greets(JSON.stringify(path))}; process.on('SIGTERM', () => { unlinkSync(path); process.exit(); });`,
    );
    await program.prints(/listening\n/);
    assert.equal(statSync(path).ino, ino, form);
    program.signal('SIGTERM');
    assert.equal(await program.ended(), 0, form);
    assert.equal(statSync(path).ino, ino, form);
  }
  const own = JSON.stringify(join(daemon.home, 'own.sock'));
  const other = await daemon.program(
    `const fs = require('node:fs'); fs.writeFileSync(${own}, ''); fs.unlinkSync(${own}); console.log(fs.existsSync(${own}));`,
  );
  await other.prints(/^false\n/);
});

test('Unix sockets by relative path, by abstract name, and with a mode', async (t) => {
  const daemon = await ShareDaemon.start(t);
  const name = `stead-test-${process.pid}-${Date.now()}`;
  const relative = await daemon.program(greets(`{ path: 'r.sock', readableAll: true, writableAll: true }`));
  await relative.prints(/listening\n/);
  const path = join(relative.directory, 'r.sock');
  assert.equal(await greeting(path), `from ${relative.pid}`);
  assert.equal(statSync(path).mode & 0o666, 0o666);
  const first = await daemon.program(greets(JSON.stringify(`\0${name}`)));
  await first.prints(/listening\n/);
  assert.equal((await first.saysThat('listen')).key, `unix:@${name}`);
  const second = await daemon.program(greets(JSON.stringify(`\0${name}`)));
  await second.prints(/listening\n/);
  first.signal('SIGKILL');
  await first.ended();
  assert.equal(await greeting(`@${name}`), `from ${second.pid}`);
});

test('without a daemon a Unix socket is bound by the program, unshared', async (t) => {
  const daemon = await ShareDaemon.start(t);
  unlinkSync(join(daemon.home, 'share.sock'));
  const path = join(daemon.home, 'a.sock');
  const program = await daemon.program(`${greets(JSON.stringify(path))}; process.on('SIGTERM', () => s.close());`);
  await program.prints(/listening\n/);
  assert.equal((await program.saysThat('listen')).isShared, false);
  program.signal('SIGTERM');
  await program.ended();
  assert.equal(existsSync(path), false);
});

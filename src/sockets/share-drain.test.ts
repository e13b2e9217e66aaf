/** Draining: new connections go to the siblings, and a program's servers notice nothing. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { freePort } from '../../test/support/ports.ts';
import { askToGive, ShareDaemon } from '../../test/support/share.ts';
import { ask, drain, kinds, server, started } from '../../test/support/share-drain.ts';

test('a program without connections has drained at once; its server still closes as usual', async (t) => {
  const { program } = await started(t, server(`r.end('x')`));
  await drain(program);
  await program.saysThat('drained');
  // Nothing is left for it to do.
  assert.equal(await program.ended(), 0);
  assert.deepEqual(kinds(program), ['listen', 'draining', 'drained']);
});

test('a server that was drained keeps its address, and closes without an error', async (t) => {
  const { program, port } = await started(
    t,
    (p) => `${server(`r.end('x')`)(p)} setInterval(() => {}, 1e6);
    process.on('SIGUSR1', () => console.log(JSON.stringify([s.listening, s.address()])));`,
  );
  await drain(program);
  await program.saysThat('drained');
  program.signal('SIGUSR1');
  const [, shown] = await program.prints(/(\[true,.*)/);
  assert.deepEqual(JSON.parse(shown!), [true, { address: '::', family: 'IPv6', port }]);
  program.signal('SIGTERM');
  await program.prints(/closed undefined/);
  assert.deepEqual(kinds(program), ['listen', 'draining', 'drained', 'close']);
});

test('new connections go to the sibling', async (t) => {
  const { daemon, program, port } = await started(
    t,
    (p) => `${server(`r.end('' + process.pid)`)(p)} setInterval(() => {}, 1e6);`,
  );
  const second = await daemon.program(server(`r.end('' + process.pid)`)(port));
  await second.saysThat('listen');
  await drain(program);
  for (let n = 0; n < 10; n++)
    assert.equal((await ask(port, '/', new Agent({ keepAlive: false }))).text, String(second.pid));
});

test('the signal works as well when the program listens to it, and a second one changes nothing', async (t) => {
  const { program } = await started(
    t,
    (p) => `process.on('SIGURG', () => console.log('heard')); setInterval(() => {}, 1e6); ${server(`r.end()`)(p)}`,
  );
  await drain(program);
  await program.prints(/heard/);
  program.signal('SIGURG');
  await program.prints(/heard\nheard/);
  assert.deepEqual(kinds(program), ['listen', 'draining', 'drained']);
});

test('with a file “give” the signal makes it give all again, and nothing else', async (t) => {
  const { daemon, program, port } = await started(t, server(`r.end('still')`));
  askToGive(program);
  await daemon.event('given', { key: `tcp:*:${port}`, taken: true });
  assert.equal((await ask(port, '/', new Agent())).text, 'still');
  assert.deepEqual(kinds(program), ['listen']);
});

test('what the daemon has not got yet is drained when it has it', async (t) => {
  const daemon = await ShareDaemon.start(t);
  await daemon.mode({ answers: false });
  const port = await freePort();
  const program = await daemon.program(server(`r.end('mine')`)(port));
  await program.saysThat('listen');
  await drain(program);
  assert.equal((await ask(port, '/', new Agent())).text, 'mine');
  await daemon.mode({ answers: true });
  await daemon.event('given', { taken: true });
  await program.saysThat('drained');
});

test('a server that closed with connections open is waited for', async (t) => {
  const { program, port } = await started(
    t,
    (p) =>
      `const s = require('node:net').createServer((c) => { c.on('data', () => c.end('bye')); s.close(() => console.log('closed')); }).listen(${p});`,
  );
  const socket = connect(port, '127.0.0.1');
  t.after(() => void socket.destroy());
  await program.saysThat('close');
  await drain(program);
  assert.equal(kinds(program).includes('drained'), false);
  socket.resume().write('end');
  await program.saysThat('drained');
  await program.prints(/closed/);
});

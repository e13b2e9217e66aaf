/** Several clients of one session: sizes, who may type, who answers, who goes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestHost, type TestProgram } from '../../../test/support/pty-host.ts';
import { TerminalClient } from '../../../test/support/terminal-client.ts';
import { waitFor } from '../../../test/support/wait.ts';

const host = await TestHost.start({ after });

/** Prints its size at each change, and counts them. */
const showsSize = ['bash', '-c', 'trap "echo size \\$(stty size)" WINCH; echo ready; while :; do read -t 60 x; done'];
/** Prints what is typed, byte by byte in hex, in brackets. */
const showsInput = [
  'bash',
  '-c',
  'stty raw -echo; echo ready; while IFS= read -rN1 c; do printf "[%02x]" "\'$c"; done',
];

async function sized(program: TestProgram, size: string): Promise<void> {
  await waitFor(`a size of ${size}; the log ends with ${program.log.slice(-100)}`, () =>
    program.log.trimEnd().endsWith(`size ${size}`),
  );
}

test('the size is that of who did something last, and the old one again when he has gone', async () => {
  const program = await host.run(showsSize);
  await program.logs(/ready/);
  const first = await TerminalClient.attach(host.socket, program.session, { cols: 100, rows: 30 });
  await sized(program, '30 100');
  const second = await TerminalClient.attach(host.socket, program.session, { cols: 60, rows: 20 });
  await sized(program, '20 60');
  first.type('\n');
  await sized(program, '30 100');
  second.type('\n');
  await sized(program, '20 60');
  await second.close();
  await sized(program, '30 100');
  const watching = await TerminalClient.attach(host.socket, program.session, { cols: 10, rows: 5, readOnly: true });
  watching.send({ type: 'resize', size: { cols: 11, rows: 6 } });
  watching.type('\n');
  first.send({ type: 'resize', size: { cols: 101, rows: 31 } });
  await sized(program, '31 101');
  assert.doesNotMatch(program.log, /size [56] 1[01]\b/);
  assert.deepEqual(watching.of('size').at(-1)?.size, { cols: 101, rows: 31 });
});

test('the smallest, the largest, or nobody has the say', async () => {
  for (const [resize, size] of [
    ['smallest', '20 50'],
    ['largest', '40 100'],
  ] as const) {
    const program = await host.run(showsSize, { resize });
    await program.logs(/ready/);
    await TerminalClient.attach(host.socket, program.session, { cols: 50, rows: 40 });
    await TerminalClient.attach(host.socket, program.session, { cols: 100, rows: 20 });
    await sized(program, size);
  }
  const program = await host.run(showsSize, { resize: 'manual' });
  await program.logs(/ready/);
  const client = await TerminalClient.attach(host.socket, program.session, { cols: 50, rows: 40 });
  client.type('\n');
  await host.link.resize(program.session, { cols: 90, rows: 25 });
  await sized(program, '25 90');
  assert.deepEqual((await client.gets('size')).size, { cols: 90, rows: 25 });
  assert.doesNotMatch(program.log, /size 40 50/);
});

test('a storm of sizes ends with the last one, and few of them reach the program', async () => {
  const program = await host.run(showsSize);
  await program.logs(/ready/);
  const clients = await Promise.all(
    [0, 1, 2].map(() => TerminalClient.attach(host.socket, program.session, { cols: 70, rows: 22 })),
  );
  const began = performance.now();
  for (let at = 0; at < 200; at++) {
    clients[at % 3]!.send({ type: 'resize', size: { cols: 20 + ((at * 37) % 150), rows: 5 + ((at * 13) % 50) } });
    if (at % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Whoever did something last: its connection is another than that of the others.
  await waitFor('the end of the storm', () => clients.every(({ socket }) => socket.writableLength === 0));
  await new Promise((resolve) => setTimeout(resolve, 100));
  clients[0]!.send({ type: 'resize', size: { cols: 77, rows: 33 } });
  await sized(program, '33 77');
  const changes = program.log.split('size').length - 1;
  const bound = (performance.now() - began) / 50 + 4;
  assert.ok(changes <= bound, `${changes} changes, of ${Math.round(bound)} at most`);
  for (const client of clients) {
    await client.shows(/size 33 77/);
    assert.deepEqual(client.of('size').at(-1)?.size, { cols: 77, rows: 33 });
  }
});

test('a client that only reads is not heard', async () => {
  const program = await host.run(showsInput);
  await program.logs(/ready/);
  const reading = await TerminalClient.attach(host.socket, program.session, { readOnly: true });
  const typing = await TerminalClient.attach(host.socket, program.session);
  assert.equal(reading.of('welcome')[0]!.welcome.readOnly, true);
  reading.type('abc');
  reading.send({ type: 'detach' });
  assert.equal((await reading.gets('bye')).reason, 'detached');
  typing.type('z');
  await program.logs(/\[7a\]/);
  assert.doesNotMatch(program.log, /\[61\]/);
});

test('who steals a session is alone in it', async () => {
  const program = await host.run(['cat']);
  const others = await Promise.all([1, 2].map(() => TerminalClient.attach(host.socket, program.session)));
  const thief = await TerminalClient.attach(host.socket, program.session, { steal: true });
  for (const other of others) {
    assert.equal((await other.gets('bye')).reason, 'stolen');
    await waitFor('the end of a connection', () => other.isClosed);
  }
  assert.equal(thief.of('welcome')[0]!.welcome.clients, 1);
});

for (const count of [0, 1, 3])
  test(`a program's question is answered once with ${count} terminals attached`, async () => {
    const asks = await host.run([
      'bash',
      '-c',
      'stty raw -echo; read -rN1 go; for i in 1 2 3; do printf "\\033[c"; read -rd c -t 5 answer; printf "<%q>" "$answer"; done; read -rN1 -t 0.3 more; printf "end<%q>" "$more"; read x',
    ]);
    const clients = await Promise.all(
      Array.from({ length: count }, () => TerminalClient.attach(host.socket, asks.session)),
    );
    for (const client of clients)
      client.answersWith = (bytes) => (bytes.includes('\x1b[c') ? Buffer.from('\x1b[?65;1;9c') : null);
    const asker = new TerminalClient(host.socket);
    await asker.ask({ session: asks.session, what: 'send', bytes: Buffer.from('g') });
    await asks.logs(/end</);
    const answers = [...asks.log.matchAll(/<([^>]*)>/g)].map(([, answer]) => answer);
    assert.equal(answers.length, 4);
    assert.equal(answers[3], "''");
    for (const answer of answers.slice(0, 3)) assert.match(answer!, count === 0 ? /E\[\?1;2'$/ : /E\[\?65;1;9'$/);
  });

test('a paste stays in one piece while another one types', async () => {
  const program = await host.run([
    'bash',
    '-c',
    'stty raw -echo; echo ready; head -c 40013 | tr -d p; echo done; read x',
  ]);
  await program.logs(/ready/);
  const [pasting, typing] = [
    await TerminalClient.attach(host.socket, program.session),
    await TerminalClient.attach(host.socket, program.session),
  ];
  for (let at = 0; at < 10; at++) {
    pasting.type(`${at === 0 ? '\x1b[200~' : ''}${'p'.repeat(4000)}${at === 9 ? '\x1b[201~' : ''}`);
    if (at === 5) typing.type('!');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await program.logs(/done/);
  assert.match(program.log, /\x1b\[200~!?\x1b\[201~!?/);
  assert.doesNotMatch(program.log, /200~!/);
});

/** What a host bears, and what its own death leaves. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { TestHost } from '../../../test/support/pty-host.ts';
import { TerminalClient } from '../../../test/support/terminal-client.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { clientSocket } from '../places.ts';

const numbers = (count: number): string => Array.from({ length: count }, (_, at) => `${at + 1}\r\n`).join('');

test('a killed host loses no number of a program that counts, and doubles none', async (t) => {
  const host = await TestHost.start(t);
  const count = 60_000;
  const program = await host.run(['bash', '-c', `for ((i = 1; i <= ${count}; i++)); do echo $i; done; read line`]);
  const { pid } = program;
  for (let round = 1; round <= 5; round++) {
    await waitFor('some numbers', () => program.log.length > round * 10_000);
    await host.kill();
    await host.start();
    await host.link.take({ ...program.order, isNew: false }, program.master);
  }
  await program.logs(new RegExp(`\\b${count}\r\n`));
  assert.equal(program.pid, pid);
  assert.ok(program.isRunning);
  assert.equal(program.log, numbers(count));
  const client = await TerminalClient.attach(host.socket, program.session);
  await client.shows(new RegExp(`${count - 22}\n(?:\\d+\n)*${count}\n*$`));
  const answer = await client.ask({ session: program.session, what: 'capture', ansi: false, lines: 500 });
  assert.ok(answer.what === 'capture');
  const shown = answer.text.trim().split('\n').map(Number);
  assert.deepEqual(
    shown,
    shown.map((_, at) => count - shown.length + 1 + at),
  );
  assert.ok(shown.length >= 499, `${shown.length} lines`);
});

test('40 fast exits of a megabyte each leave all of it in the log', async (t) => {
  const host = await TestHost.start(t);
  const slow = new TerminalClient(host.socket);
  for (let at = 0; at < 40; at += 4) {
    await Promise.all(
      [0, 1, 2, 3].map(async (lane) => {
        const session = `fast${lane}:0`;
        const command = ['sh', '-c', "head -c 1000000 /dev/zero | tr '\\0' x; exit 5"];
        const program = await host.run(command, { session, run: 1 + at / 4 });
        assert.equal((await program.ended({ goesOn: true })).code, 5);
        assert.equal(statSync(program.order.log).size - program.order.logFrom, 1_000_000);
        program.close();
      }),
    );
  }
  await slow.close();
  for (const lane of [0, 1, 2, 3]) {
    const log = readFileSync(host.programs[lane]!.order.log, 'latin1');
    assert.ok(log.length === 10_000_000 && !/[^x]/.test(log));
  }
});

test('a client that stands still costs little and gets the present screen when it goes on', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['bash', '-c', 'read line; seq 1 400000; read line']);
  const still = await TerminalClient.attach(host.socket, program.session);
  const live = await TerminalClient.attach(host.socket, program.session);
  still.isAcknowledging = false;
  live.type('go\n');
  await program.logs(/\b400000\r\n$/);
  await live.shows(/\b400000$/);
  assert.ok(still.bytes < 300_000, `${still.bytes} bytes`);
  still.isAcknowledging = true;
  still.send({ type: 'ack', bytes: still.bytes });
  await still.shows(/\b400000$/);
  assert.equal(await still.shown(), await live.shown());
});

test('garbage of a client ends its connection and nothing else', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['cat']);
  const client = await TerminalClient.attach(host.socket, program.session);
  for (const garbage of [
    '\xff\xff',
    'h\x00\x00\x00\x02{}',
    'i\xff\xff\xff\xff',
    'q\x00\x00\x00\x01x',
    'i\0\0\0\x01a',
  ]) {
    const wrong = new TerminalClient(clientSocket(host.home));
    wrong.socket.write(Buffer.from(garbage, 'latin1'));
    assert.equal((await wrong.gets('error')).error.code, 'PROTOCOL');
    await waitFor('the end of the connection', () => wrong.isClosed);
  }
  client.type('still there\n');
  await client.shows(/still there\nstill there/);
  assert.equal(host.said, '');
});

test('a paste of a megabyte waits for a program that does not read, without work, and arrives', async (t) => {
  const host = await TestHost.start(t);
  const script =
    'stty raw -echo; echo ready; while ! test -e "$0"; do sleep 0.1; done; head -c 1000000 | md5sum; read x';
  const go = `${host.directory}/go`;
  const program = await host.run(['bash', '-c', script, go]);
  await program.logs(/ready/);
  const client = await TerminalClient.attach(host.socket, program.session);
  client.type(Buffer.alloc(1_000_000, 'p'));
  const cpu = () => {
    const fields = readFileSync(`/proc/${host.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  await waitFor('the host to have taken it', () => client.socket.writableLength === 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = cpu();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(cpu() - before <= 3, `${cpu() - before} ticks`);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(go, '');
  const { createHash } = await import('node:crypto');
  await program.logs(new RegExp(createHash('md5').update(Buffer.alloc(1_000_000, 'p')).digest('hex')));
});

test('an OSC of a megabyte without an end costs no more than itself', async (t) => {
  const host = await TestHost.start(t);
  const program = await host.run(['sh', '-c', "printf '\\033]0;'; head -c 1000000 /dev/zero | tr '\\0' x; sleep 60"]);
  await waitFor('all of it in the log', () => program.log.length === 1_000_004);
  const client = await TerminalClient.attach(host.socket, program.session);
  assert.ok(client.bytes > 0);
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${host.pid}/status`, 'utf8'))![1]);
  assert.ok(rss < 110_000, `${rss} KB`);
});

/** Several clients of one session: sizes, who may type, who answers, who is slow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { SpecOptions } from '../../src/protocol/spec.ts';
import { clientsShowTheSame } from '../faults/harness/terminal-clients.ts';
import { Onlooker } from '../support/onlooker.ts';
import { becomesSize, clientOf, logOf, logs, openScript, sizeIn } from '../support/sessions.ts';
import { Stead } from '../support/stead.ts';
import type { TerminalClient } from '../support/terminal-client.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });
before(() => stead.ok(['daemon', 'restart']));

const open = (name: string, script: string, options: SpecOptions = {}) => openScript(stead, { name, script, options });
const resize = (client: TerminalClient, cols: number, rows: number) =>
  client.send({ type: 'resize', size: { cols, rows } });
const fileOf = (name: string) => readFileSync(join(stead.directory, name), 'latin1');

test('ten clients, one of them stopped, three that change their size all the time: all show what the session does', () =>
  clientsShowTheSame(stead, { megabytes: 5, seed: 7 }));

test('latest: the session has the size of who attached, typed or changed size last; of who is left', async () => {
  await open('latest', 'cat');
  const narrow = await clientOf(stead, 'latest', { cols: 70, rows: 20 });
  await becomesSize(stead, 'latest', '70x20');
  const wide = await clientOf(stead, 'latest', { cols: 120, rows: 40 });
  await becomesSize(stead, 'latest', '120x40');
  narrow.type('x');
  await becomesSize(stead, 'latest', '70x20');
  resize(wide, 121, 41);
  await becomesSize(stead, 'latest', '121x41');
  await wide.close();
  await becomesSize(stead, 'latest', '70x20');
  await narrow.close();
});

test('smallest and largest: of all that are attached; manual: as it was said', async () => {
  for (const [policy, both, one, onlyRows] of [
    ['smallest', '70x20', '70x20', '70x18'],
    ['largest', '120x40', '120x40', '120x40'],
    ['manual', '90x30', '90x30', '90x30'],
  ] as const) {
    await open(policy, 'cat', { ttyResize: policy, ttySize: '90x30' });
    const narrow = await clientOf(stead, policy, { cols: 70, rows: 20 });
    const wide = await clientOf(stead, policy, { cols: 120, rows: 40 });
    await becomesSize(stead, policy, both);
    for (const client of [narrow, wide]) client.type('x');
    await logs(stead, policy, /xx/);
    assert.equal(await sizeIn(stead, policy), one);
    resize(wide, 120, policy === 'largest' ? 40 : 18);
    await becomesSize(stead, policy, onlyRows);
    await Promise.all([narrow.close(), wide.close()]);
  }
});

test('who looks on only changes no size and types nothing, whatever it sends', async () => {
  await open('watched', 'stty raw -echo; echo ready; head -c 3 > got; echo over');
  const typist = await clientOf(stead, 'watched');
  await typist.shows(/ready/);
  const onlooker = await clientOf(stead, 'watched', { readOnly: true, cols: 130, rows: 50 });
  onlooker.type('evil');
  resize(onlooker, 131, 51);
  onlooker.send({ type: 'input', bytes: Buffer.from('\x1b[200~evil\x1b[201~') });
  // An answer to it comes after all that it said before has been dealt with.
  await onlooker.ask({ session: 'watched:0', what: 'size' });
  assert.equal(await sizeIn(stead, 'watched'), '80x24');
  typist.type('abc');
  await typist.shows(/over/);
  assert.equal(fileOf('got'), 'abc');
  await Promise.all([typist.close(), onlooker.close()]);
});

const asks = (queries: string) => `stty raw -echo; echo ready; read -r -N 1; printf '${queries}'
  end=$'\\e['; read -r -t 5 -d c answer; read -r -t 0.3 -N 1 extra; printf 'got <%s> <%s>\\r\\n' "\${answer//$'\\e'/E}" "$extra"; sleep 1000`;

test('a query is answered once, whether nobody is attached, one, or three', async () => {
  const answers = (bytes: Buffer) => (bytes.includes('\x1b[c') ? Buffer.from('\x1b[?62;22c') : null);
  await Promise.all([0, 1, 3].map((count) => open(`asks-${count}`, asks('\\e[c'))));
  for (const count of [0, 1, 3]) {
    const name = `asks-${count}`;
    const clients = await Promise.all(Array.from({ length: count }, () => clientOf(stead, name)));
    for (const client of clients) client.answersWith = answers;
    const outside = await clientOf(stead, name, { readOnly: true });
    outside.answersWith = answers;
    await outside.shows(/ready/);
    await outside.ask({ session: `${name}:0`, what: 'send', bytes: Buffer.from('x') });
    const [, answer] = await logs(stead, name, /got <(.*?)> <>/);
    assert.match(answer!, count === 0 ? /^E\[\?[\d;]+$/ : /^E\[\?62;22$/);
    await Promise.all([...clients, outside].map((client) => client.close()));
  }
});

test('coming back types nothing, though the screen had asked and a terminal answers', async () => {
  const queries = '\\e[c\\e[6n\\e[5n\\e]11;?\\e\\\\\\e[?u\\e[>c\\e[?1049h\\e[2Jtext';
  await open(
    'silent',
    `stty raw -echo; printf '${queries}'; read -r -t 0.5 -N 100; echo ready; head -c 1 > typed; echo over`,
  );
  await logs(stead, 'silent', /ready/);
  for (let round = 0; round < 2; round++) {
    const onlooker = new Onlooker(stead, ['attach', 'silent']);
    await onlooker.sees(/ready/);
    await onlooker.leaves();
  }
  const client = await clientOf(stead, 'silent');
  client.type('x');
  await client.shows(/over/);
  assert.equal(fileOf('typed'), 'x');
  await client.close();
});

test('a paste stays in one piece while another types', async () => {
  const paste = `\x1b[200~${'p'.repeat(1_000_000)}\x1b[201~`;
  const length = paste.length + 50;
  await open('paste', `stty raw -echo; echo ready; head -c ${length} > pasted; echo over`);
  const [a, b] = await Promise.all([clientOf(stead, 'paste'), clientOf(stead, 'paste')]);
  await a.shows(/ready/);
  a.type(paste);
  for (let at = 0; at < 50; at++) {
    b.type('b');
    if (at % 10 === 0) await pause(1);
  }
  await a.shows(/over/);
  const got = fileOf('pasted');
  assert.ok(got.includes(paste), 'in one piece');
  assert.equal(got.replaceAll('b', '').length, paste.length);
  await Promise.all([a.close(), b.close()]);
});

test('characters and sequences that come byte by byte are whole to whoever comes in between', async () => {
  const text =
    '日本語 e\u0301 👩‍👩‍👧 ü \x1b[1;38;2;10;20;30mcolour\x1b[0m \x1b]0;ti日tle\x07\x1b]8;;http://host/\x1b\\link\x1b]8;;\x1b\\ end';
  const octal = [...Buffer.from(text)].map((byte) => byte.toString(8).padStart(3, '0')).join(' ');
  await open('bytes', `for byte in ${octal}; do printf "\\\\$byte"; sleep 0.005; done; sleep 1000`);
  const clients: TerminalClient[] = [];
  while (!(await logOf(stead, 'bytes')).includes('end')) clients.push(await clientOf(stead, 'bytes'));
  clients.push(await clientOf(stead, 'bytes'));
  const seen = async (client: TerminalClient) => {
    await client.shown();
    return client.screen!.capture({ ansi: true, lines: null });
  };
  const whole = await seen(clients.at(-1)!);
  assert.match(whole, /日本語 e\u0301 👩‍👩‍👧 ü .*colour.*link.* end/);
  assert.ok(!whole.includes('\ufffd'));
  for (const client of clients) {
    await waitFor('the same', async () => (await seen(client)) === whole);
    assert.equal(client.screen!.title, 'ti日tle');
  }
  assert.ok(clients.length > 3, `${clients.length} clients`);
  await Promise.all(clients.map((client) => client.close()));
});

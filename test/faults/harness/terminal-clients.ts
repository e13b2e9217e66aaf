/** Ten clients of a session that prints megabytes: one stands still, three change their size all the time; at the end all show what the session does. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { lookAlike, Onlooker } from '../../support/onlooker.ts';
import { becomesSize, clientOf, hostPid, logOf, openScript, residentKb, sizeIn } from '../../support/sessions.ts';
import type { Stead } from '../../support/stead.ts';
import type { TerminalClient } from '../../support/terminal-client.ts';
import { waitFor } from '../../support/wait.ts';
import { randomFrom } from './random.ts';

const stormMs = 1000;
const stepMs = 10;
/** A size is applied once in 50 ms at most, and a shell may miss none of them. */
const mostResizes = stormMs / 50 + 8;
const lineBytes = 64;
const lineText = (number: string): string => `${number}${' of a program'.repeat(4)} -`;
const mostGrownKb = 64 * 1024;
const lastSize = { cols: 91, rows: 29 };

export interface ClientsOptions {
  readonly megabytes: number;
  readonly seed: number;
  readonly say?: (text: string) => void;
}

export async function clientsShowTheSame(
  stead: Stead,
  { megabytes, seed, say = () => {} }: ClientsOptions,
): Promise<void> {
  const random = randomFrom(seed);
  const count = (megabytes * 1024 * 1024) / lineBytes;
  // A shell that waits for a program takes several signals for one: another one counts.
  const counting = `n=0; trap 'n=$((n + 1))' WINCH; until [ -e printed ]; do sleep 0.01; done; echo "$n sizes, last"; sleep 1000`;
  const script = `read line; (${counting}) & seq -f '${lineText('%08.0f')}' ${count}; sleep ${stormMs / 1000 + 0.5}; stty size; touch printed; wait`;
  await openScript(stead, { name: 'ten', script: script, options: { logMaxSize: 2 ** 30 } });
  const real = await Promise.all([0, 1].map(async () => new Onlooker(stead, ['attach', 'ten'])));
  const driven = await Promise.all(Array.from({ length: 8 }, () => clientOf(stead, 'ten')));
  await stead.until('ten', 'ten clients', ({ instances }) => instances[0]!.terminal?.clients === 10);
  const [live, stopped] = real as [Onlooker, Onlooker];
  const stoppedPid = await stopped.terminal.pid();
  const host = await hostPid(stead);
  const before = residentKb(host);
  process.kill(stoppedPid, 'SIGSTOP');
  const began = performance.now();
  driven[7]!.type('go\n');
  await storm(driven.slice(0, 3), random);
  for (const client of driven.slice(0, 3)) client.send({ type: 'resize', size: lastSize });
  await live.resize(lastSize);
  await becomesSize(stead, 'ten', `${lastSize.cols}x${lastSize.rows}`);
  const text = await waitFor('the last line', async () => lastOf(driven[4]!), { timeoutMs: 120_000 });
  const tookMs = performance.now() - began;
  const grown = residentKb(host) - before;
  say(`${megabytes} MB with ten clients: ${Math.round(tookMs)} ms; the host has grown by ${grown} KB; ${text[0]}`);
  assert.ok(grown < mostGrownKb, `the host has grown by ${grown} KB`);
  assert.ok(Number(text[1]) <= mostResizes, `${text[1]} sizes`);
  assert.match(text[0], new RegExp(`^${lastSize.rows} ${lastSize.cols}`));
  const captured = await captureOf(driven[5]!);
  for (const [at, client] of driven.entries())
    await waitFor(`client ${at} to show what the session does`, async () => (await client.shown()) === captured);
  await stopped.resize(lastSize);
  process.kill(stoppedPid, 'SIGCONT');
  const cells = await lookAlike(real, /sizes, last/);
  assert.equal(cells.length, lastSize.rows + 1);
  assert.equal(live.eye.lines().join('\n').trimEnd(), captured.trimEnd());
  assert.equal(await sizeIn(stead, 'ten'), `${lastSize.cols}x${lastSize.rows}`);
  const log = await logOf(stead, 'ten');
  const head = log.indexOf(lineText('00000001'));
  assert.ok(log.slice(head, head + count * lineBytes) === lines(count), 'the log has each line');
  await Promise.all([...real.map((each) => each.leaves()), ...driven.map((client) => client.close())]);
}

/** Random sizes, one each few milliseconds. */
async function storm(clients: readonly TerminalClient[], random: () => number): Promise<void> {
  const side = (least: number, most: number) => least + Math.floor(random() * (most - least));
  for (const end = performance.now() + stormMs; performance.now() < end; await pause(stepMs)) {
    const client = clients[Math.floor(random() * clients.length)]!;
    client.send({ type: 'resize', size: { cols: side(20, 200), rows: side(5, 60) } });
  }
}

async function lastOf(client: TerminalClient): Promise<RegExpExecArray | null> {
  return /\d+ \d+ *\n(\d+) sizes, last/.exec(await client.shown());
}

async function captureOf(client: TerminalClient): Promise<string> {
  const answer = await client.ask({ session: 'ten:0', what: 'capture', ansi: false, lines: null });
  assert.ok(answer.what === 'capture');
  return answer.text;
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, at) => `${lineText(String(at + 1).padStart(8, '0'))}\r\n`).join('');
}

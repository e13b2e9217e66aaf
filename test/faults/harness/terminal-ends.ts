/** Programs that print a megabyte and end at once, while one client stands still: all bytes are in the log, and the code is theirs. */
import assert from 'node:assert/strict';
import { request } from '../../../src/client/http.ts';
import { clientOf, logOf, openScript } from '../../support/sessions.ts';
import type { Stead } from '../../support/stead.ts';
import { randomFrom } from './random.ts';

const bytes = 1_000_000;
const atOnce = 4;

export interface EndsOptions {
  readonly ends: number;
  readonly seed: number;
  readonly say?: (text: string) => void;
}

export async function terminalEnds(stead: Stead, { ends, seed, say = () => {} }: EndsOptions): Promise<void> {
  const random = randomFrom(seed);
  await stead.ok(['daemon', 'restart']);
  for (let at = 0; at < ends; at += atOnce) {
    const names = Array.from({ length: Math.min(atOnce, ends - at) }, (_, lane) => `ends-${at + lane}`);
    await Promise.all(names.map((name) => endOne(stead, name, 1 + Math.floor(random() * 120))));
    await request(stead.home, 'delete', { body: { select: names, purge: true } });
    if ((at + atOnce) % 20 === 0) say(`${at + atOnce} ends`);
  }
}

async function endOne(stead: Stead, name: string, code: number): Promise<void> {
  const script = `read line; head -c ${bytes} /dev/zero | tr '\\0' x; exit ${code}`;
  await openScript(stead, { name, script });
  const [stopped, live] = await Promise.all([clientOf(stead, name), clientOf(stead, name)]);
  // One that has stopped reads nothing, and so says nothing.
  stopped.isAcknowledging = false;
  stopped.socket.pause();
  live.type('go\n');
  assert.equal((await live.gets('exit')).exit.code, code, `${name}: its code, as a client is told`);
  const { exits } = await stead.until(name, 'its end', ({ state }) => state === 'failed');
  assert.equal(exits[0]!.code, code, `${name}: its code`);
  const log = (await logOf(stead, name)).replace(/^go\r\n/, '');
  assert.ok(log.length === bytes && !/[^x]/.test(log), `${name}: ${log.length} bytes`);
  stopped.socket.resume();
  stopped.isAcknowledging = true;
  stopped.send({ type: 'ack', bytes: stopped.bytes });
  assert.equal((await stopped.gets('exit')).exit.code, code, `${name}: as the one is told that stood still`);
  await Promise.all([live.close(), stopped.close()]);
}

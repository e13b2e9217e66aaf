import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../../test/support/wait.ts';
import { parseDetachKeys } from '../keys-detach.ts';
import { Keyboard } from './keyboard.ts';

function start({ isKittyOn = false } = {}) {
  const stdin = new PassThrough();
  const seen = { input: '', detached: 0, gone: 0 };
  const keyboard = new Keyboard(stdin, {
    detachKeys: parseDetachKeys('C-b d'),
    isKittyOn: () => isKittyOn,
    onInput: (bytes) => {
      seen.input += bytes.toString('latin1');
    },
    onDetach: () => {
      seen.detached += 1;
    },
    onGone: () => {
      seen.gone += 1;
    },
  });
  keyboard.listen();
  return { stdin, seen, keyboard };
}

test('the Escape key arrives after a moment, the first detach key only with the next key', async () => {
  const { stdin, seen, keyboard } = start();
  stdin.write('\x1b');
  await waitFor('the Escape key', () => seen.input === '\x1b');
  stdin.write('\x02');
  await pause(400);
  assert.equal(seen.input, '\x1b');
  stdin.write('d');
  await waitFor('the keys to detach', () => seen.detached === 1);
  keyboard.stop();
});

test('with the kitty protocol on, an ESC waits for its sequence longer', async () => {
  const { stdin, seen, keyboard } = start({ isKittyOn: true });
  for (const piece of ['\x1b', '[98', ';5u', '\x1b', '[100u']) {
    stdin.write(piece);
    await pause(200);
  }
  assert.deepEqual([seen.input, seen.detached], ['', 1]);
  keyboard.stop();
});

test('a timer that is late does not tear a sequence that is there already', async () => {
  const { stdin, seen, keyboard } = start();
  stdin.write('\x1b');
  await new Promise((resolve) => setImmediate(resolve));
  stdin.write('[A');
  // The machine was busy for longer than an ESC is held.
  for (const until = performance.now() + 400; performance.now() < until; );
  await pause(50);
  assert.equal(seen.input, '\x1b[A');
  keyboard.stop();
});

test('a stopped keyboard hears nothing more', async () => {
  const { stdin, seen, keyboard } = start();
  stdin.write('\x1b');
  await new Promise((resolve) => setImmediate(resolve));
  keyboard.stop();
  keyboard.resume();
  stdin.end('x');
  await pause(200);
  assert.deepEqual(seen, { input: '', detached: 0, gone: 0 });
});

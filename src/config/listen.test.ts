import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteadError } from '../protocol/errors.ts';
import { absoluteListen, parseListen, parseListens } from './listen.ts';

const shown = '--listen';
const refusal = (text: string): SteadError => {
  try {
    parseListen(text, shown);
  } catch (error) {
    assert.ok(error instanceof SteadError);
    assert.equal(error.code, 'OPTION_INVALID');
    return error;
  }
  throw new Error(`${text} was taken`);
};

test('an address in each of its forms', () => {
  const passing: Record<string, object> = {
    '5000': { kind: 'tcp', name: null, host: null, port: 5000 },
    ':5000': { kind: 'tcp', name: null, host: null, port: 5000 },
    '*:5000': { kind: 'tcp', name: null, host: null, port: 5000 },
    'tcp:5000': { kind: 'tcp', name: null, host: null, port: 5000 },
    '127.0.0.1:5000': { kind: 'tcp', name: null, host: '127.0.0.1', port: 5000 },
    'tcp:0.0.0.0:80': { kind: 'tcp', name: null, host: '0.0.0.0', port: 80 },
    '[::1]:5000': { kind: 'tcp', name: null, host: '::1', port: 5000 },
    '[0:0:0:0:0:0:0:1]:5000': { kind: 'tcp', name: null, host: '::1', port: 5000 },
    '[fe80::1%lo]:5000': { kind: 'tcp', name: null, host: 'fe80::1%lo', port: 5000 },
    'udp:5353': { kind: 'udp', name: null, host: null, port: 5353 },
    'udp:[::]:53': { kind: 'udp', name: null, host: '::', port: 53 },
    'http=127.0.0.1:8080': { kind: 'tcp', name: 'http', host: '127.0.0.1', port: 8080 },
    'web api=udp:53': { kind: 'udp', name: 'web api', host: null, port: 53 },
    'unix:/run/x.sock': { kind: 'unix', name: null, path: '/run/x.sock' },
    'unix:/run/a=b:c.sock': { kind: 'unix', name: null, path: '/run/a=b:c.sock' },
    'ctl=unix:run/x.sock': { kind: 'unix', name: 'ctl', path: 'run/x.sock' },
  };
  for (const [text, value] of Object.entries(passing)) assert.deepEqual(parseListen(text, shown), value, text);
});

test('what is no address is refused with what to write instead', () => {
  const hints: Record<string, RegExp> = {
    '0': /choose one/,
    'udp:0': /choose one/,
    'localhost:80': /^--listen 127\.0\.0\.1:80$/,
    'http=localhost:80': /^--listen http=127\.0\.0\.1:80$/,
    '::1:5000': /^--listen '\[::1\]:PORT'$/,
    '/run/x.sock': /did you mean --listen unix:\/run\/x\.sock\?/,
    '=5000': /http=8080/,
    'unix:': /unix:\/run\/web\.sock/,
    'unix:@web': /unix:\/run\/web\.sock/,
    'caf\u00e9=80': /http=8080/,
  };
  for (const [text, hint] of Object.entries(hints)) assert.match(refusal(text).hint ?? '', hint, text);
  for (const text of [
    '',
    'x',
    '70000',
    '127.0.0.1',
    '127.0.0.1:',
    'db.local:80',
    '1.2.3:80',
    '[x]:80',
    '5000x',
    'sctp:80',
  ])
    refusal(text);
  refusal(`unix:/${'x'.repeat(107)}`);
  refusal(`${'n'.repeat(256)}=80`);
});

test('an app listens on five addresses at most, each once', () => {
  const refused = (...texts: string[]) => assert.throws(() => parseListens(texts, shown), { code: 'OPTION_INVALID' });
  assert.equal(parseListens(['1', '2', '3', '4', '5'], shown).length, 5);
  assert.equal(parseListens(['127.0.0.1:80', '[::1]:80', 'udp:80', 'unix:/80'], shown).length, 4);
  assert.throws(() => parseListens(['1', '2', '3', '4', '5', '6'], shown), {
    message: /5 sockets at most, and these are 6/,
  });
  refused('5000', 'tcp:5000');
  refused('5000', 'a=127.0.0.1:5000');
  refused('[::1]:80', '[0::1]:80');
  refused('unix:/x', 'b=unix:/x');
});

test('a relative path is made absolute, and nothing else', () => {
  const absolute = (text: string) => absoluteListen(text, (path) => resolve('/srv/web', path));
  assert.equal(absolute('ctl=unix:run/x.sock'), 'ctl=unix:/srv/web/run/x.sock');
  assert.equal(absolute('unix:/run/x.sock'), 'unix:/run/x.sock');
  assert.equal(absolute('http=5000'), 'http=5000');
});

test('whatever the text: an address or a SteadError, soon', () => {
  const pieces = fc.constantFrom(
    '=',
    ':',
    '[',
    ']',
    '*',
    'unix:',
    'udp:',
    'tcp:',
    '5000',
    '::1',
    '127.0.0.1',
    'a',
    '\0',
    '%',
  );
  const texts = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { kind } = parseListen(text, shown);
        assert.ok(['tcp', 'udp', 'unix'].includes(kind));
      } catch (error) {
        assert.ok(error instanceof SteadError);
      }
    }),
  );
  const began = performance.now();
  refusal('a:'.repeat(50_000));
  assert.ok(performance.now() - began < 100);
});

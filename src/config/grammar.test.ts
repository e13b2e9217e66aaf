import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteadError } from '../protocol/errors.ts';
import {
  parseAlive,
  parseDependencies,
  parseExits,
  parseHook,
  parseIoNice,
  parseLimit,
  parseReady,
  parseSecret,
  parseStopSignals,
  parseVariable,
} from './grammar.ts';

const refused = (parse: (text: string, shown: string) => unknown, texts: readonly string[]) => {
  for (const text of texts) assert.throws(() => parse(text, '--x'), { code: 'OPTION_INVALID' }, text);
};

test('readiness in each of its forms', () => {
  const passing: Record<string, object> = {
    'port:5000': { kind: 'port', host: 'localhost', port: 5000 },
    'tcp:db.local:5432': { kind: 'port', host: 'db.local', port: 5432 },
    'port:[::1]:80': { kind: 'port', host: '::1', port: 80 },
    'http://127.0.0.1/up': { kind: 'http', url: 'http://127.0.0.1/up' },
    'http:http://h/': { kind: 'http', url: 'http://h/' },
    'http:8080/health': { kind: 'http', url: 'http://localhost:8080/health' },
    'log:ready: \\d+': { kind: 'log', pattern: 'ready: \\d+' },
    'exec:test -e x': { kind: 'exec', command: 'test -e x' },
    ipc: { kind: 'ipc' },
    'fd:3': { kind: 'fd', fd: 3 },
    notify: { kind: 'notify' },
    listen: { kind: 'listen' },
  };
  for (const [text, value] of Object.entries(passing)) assert.deepEqual(parseReady(text, '--x'), value);
  refused(parseReady, [
    '',
    '5000',
    'port:',
    'port:0',
    'port:70000',
    'http:',
    'http:/x',
    'fd:2',
    'fd:9',
    'log:',
    'exec:',
  ]);
  assert.deepEqual(parseAlive('watchdog', '--x'), { kind: 'watchdog' });
  refused(parseAlive, ['ipc', 'notify', 'listen', 'log:x']);
});

test('a stop sequence, exits, dependencies', () => {
  assert.deepEqual(parseStopSignals('INT:5s, TERM', '--x'), [
    { signal: 'SIGINT', waitMs: 5000 },
    { signal: 'SIGTERM', waitMs: null },
  ]);
  assert.deepEqual(parseExits(['0,77', 'term'], '--x'), [0, 77, 'SIGTERM']);
  assert.deepEqual(parseDependencies(['db', 'cache:started,setup:completed'], '--x'), {
    db: 'ready',
    cache: 'started',
    setup: 'completed',
  });
  refused(
    parseStopSignals,
    ['', 'FOO', 'TERM:', 'TERM:5', 'TERM,'].filter((text) => text !== 'TERM:'),
  );
  refused((text, shown) => parseExits([text], shown), ['', '256', '-1', 'x']);
  refused((text, shown) => parseDependencies([text], shown), ['', 'db:up', '../x', 'a b']);
});

test('hooks, secrets, limits, I/O classes', () => {
  assert.deepEqual(parseHook('fail=echo a=b', '--x'), ['fail', 'echo a=b']);
  assert.deepEqual(parseSecret('A=file:/x=y', '--x'), ['A', '/x=y']);
  assert.deepEqual(parseLimit('nofile=1:unlimited', '--x'), ['nofile', [1, null]]);
  assert.deepEqual(parseIoNice('idle', '--x'), { class: 3, level: 4 });
  assert.equal(parseVariable('PORT_2', '--x'), 'PORT_2');
  refused(parseVariable, ['', '2', 'A=1', 'A B', 'A-B']);
  refused(parseHook, ['', 'x=y', 'fail', 'fail=']);
  refused(parseSecret, ['A', 'A=b', '=file:x']);
  refused(parseLimit, ['nofile', 'files=3', 'nofile=5:3', 'nofile=unlimited:3', 'nofile=-1']);
  refused(parseIoNice, ['', 'low', 'idle:8', 'best-effort:9']);
});

test('whatever the text: a value or a SteadError, soon', () => {
  const parsers = [parseReady, parseAlive, parseStopSignals, parseHook, parseSecret, parseLimit, parseIoNice];
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      for (const parse of parsers) {
        try {
          parse(text, '--x');
        } catch (error) {
          assert.ok(error instanceof SteadError);
        }
      }
    }),
  );
  for (const parse of parsers) {
    const began = performance.now();
    try {
      parse('a'.repeat(50_000), '--x');
    } catch {
      // Refused, in time.
    }
    assert.ok(performance.now() - began < 100);
  }
});

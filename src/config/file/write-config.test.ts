import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionsTable } from '../options.ts';
import { parseValue } from '../values.ts';
import { readConfig } from './read-config.ts';
import { writtenDuration, writtenSize, writtenValue } from './stanza.ts';
import { writeConfig } from './write-config.ts';

test('what is written is read back, with comments', () => {
  const text = writeConfig({
    notes: ['Made from x.conf', 'two lines\nin one'],
    apps: [
      {
        notes: ['numprocs: has no equal'],
        stanza: {
          name: 'web',
          script: 'server.js',
          args: ['--port', '80', 'no', 'null', '1e3'],
          env: { A: '1', B: '', C: 'a: b # c', D: 'line\nline' },
          stop_timeout: '1600ms',
          watch: true,
        },
      },
      {
        notes: [],
        stanza: {
          name: 'nightly',
          job: true,
          command: ['sh', '-c', 'echo "x"; exit 3'],
          cron: '0 3 * * *',
          umask: '027',
        },
      },
      { notes: [], stanza: { name: 'shell', command: 'a && b | c' } },
    ],
  });
  assert.match(text, /^# Made from x\.conf\n# two lines\n# in one\n/);
  assert.match(text, /# numprocs: has no equal/);
  const [web, nightly, shell] = readConfig(text, 'x');
  assert.deepEqual(web!.args, ['--port', '80', 'no', 'null', '1e3']);
  assert.deepEqual(web!.options.env, ['A=1', 'B=', 'C=a: b # c', 'D=line\nline']);
  assert.equal(web!.options.stopTimeoutMs, 1600);
  assert.deepEqual(web!.options.watch, ['.']);
  assert.deepEqual(nightly!.command, ['sh', '-c', 'echo "x"; exit 3']);
  assert.equal(nightly!.options.umask, 0o27);
  assert.deepEqual(shell!.command, ['a && b | c']);
});

test('durations, sizes and octals are written as they are read', () => {
  for (const ms of [0, 1, 999, 1000, 1600, 90_000, 3_600_000, 86_400_000, 86_401_000]) {
    const option = optionsTable.find(({ key }) => key === 'stop_timeout')!;
    assert.equal(parseValue({ type: option.type }, writtenDuration(ms), 'x'), ms);
  }
  for (const bytes of [0, 1, 1000, 1024, 20 * 2 ** 20, 3 * 2 ** 30 + 1])
    assert.equal(parseValue({ type: 'size' }, writtenSize(bytes), 'x'), bytes);
  assert.equal(writtenDuration(90_000), '90s');
  assert.equal(writtenSize(20 * 2 ** 20), '20M');
  const umask = optionsTable.find(({ key }) => key === 'umask')!;
  assert.equal(writtenValue(umask, 0o27), '027');
});

test('what looks like a variable is none when it is read again', () => {
  const values = ['${HOME}', '$${HOME}', '$HOME', 'a${', '$$$${x}${y:-z}'];
  const env = Object.fromEntries(values.map((value, at) => [`V${at}`, value]));
  const command = ['sh', '-c', 'echo ${HOME}'];
  const text = writeConfig({
    notes: [],
    apps: [
      { notes: [], stanza: { name: 'a', command, env } },
      { notes: [], stanza: { name: 'b', command: 'echo ${HOME} $${X}' } },
    ],
  });
  const [a, b] = readConfig(text, 'x', { env: { HOME: 'wrong' } });
  assert.deepEqual(
    a!.options.env,
    values.map((value, at) => `V${at}=${value}`),
  );
  assert.deepEqual(b!.command, ['echo ${HOME} $${X}']);
  assert.deepEqual(a!.command, command);
});

/** Procfiles: each line runs what the app runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { optionSamples } from '../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../test/support/specs.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { writeProcfile } from './write.ts';

const textOf = (specs: readonly AppSpec[], directory: string | null = null) =>
  writeProcfile(
    specs.map((spec) => outgoingOf(spec)),
    directory,
  ).files[0]!.text;

/** As foreman reads it: what is no process is no line. */
const processes = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line) => {
      const [, name, command] = /^([A-Za-z0-9_-]+):\s*(.+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, command!] as const];
    }),
  );

test('a line runs the program with its words, variables, secrets, and directory', (t) => {
  const cwd = temporaryDirectory(t, "a b'c");
  const token = join(cwd, 'token');
  writeFileSync(token, 'to ken\n');
  const words = ['', 'a b', "it's", '$HOME', '\\n', 'a\nb', '%'];
  const program = commandOf('/bin/sh', '-c', 'pwd; echo "$A|$T"; printf "[%s]" "$@"', 'sh', ...words);
  const spec = specOf('x', { env: ["A=1 '$B'\n2", 'a-b=c d'], secret: [`T=file:${token}`] }, { cwd, program });
  for (const directory of [null, cwd]) {
    const line = processes(textOf([spec], directory)).get('x')!;
    const { stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd, env: { PATH: '/bin:/usr/bin' } });
    assert.equal(stdout, `${cwd}\n1 '$B'\n2|to ken\n${words.map((word) => `[${word}]`).join('')}`);
  }
});

test('a variable that no shell can set reaches the program', () => {
  const spec = specOf('x', { env: ['a-b=c d', 'A=1'] }, { cwd: '/', program: commandOf('/usr/bin/env') });
  const { stdout } = spawnSync('sh', ['-c', processes(textOf([spec])).get('x')!], { encoding: 'utf8', env: {} });
  assert.match(stdout, /^a-b=c d$/m);
  assert.match(stdout, /^A=1$/m);
});

test('every option: a process each, what has no place named in a comment', () => {
  const specs = optionSamples().map(({ key, kind, options }, at) => specOf(`${key}.${at}`, options, { kind }));
  const text = textOf(specs);
  const timed = specs.filter(({ kind, schedule }) => kind === 'job' && schedule !== null);
  assert.equal(processes(text).size, specs.length - timed.length);
  assert.match(text, /without an equal here: backoff_factor$/m);
  assert.match(text, /without an equal here: cpu$/m);
});

test('names are those that foreman reads, each once; times are lines for crontab', () => {
  const text = textOf([
    specOf('a.b'),
    specOf('a_b', { instances: '3' }),
    specOf('tidy', { cron: '0 3 * * *' }, { kind: 'job', program: commandOf('date', '+%s') }),
  ]);
  assert.deepEqual([...processes(text).keys()], ['a_b', 'a_b_2']);
  assert.match(text, /^# foreman start -m all=1,a_b_2=3$/m);
  assert.match(text, /^# 0 3 \* \* \* cd \/srv\/tidy && exec \/usr\/bin\/date \+\\%s$/m);
});

/** A spec that is exported, and applied from the file, is the same spec again. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { optionSamples, type Sample } from '../../../test/support/option-samples.ts';
import { outgoingOf, specOf } from '../../../test/support/specs.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import { captureCaller } from '../../client/caller.ts';
import { readConfig } from '../../config/file/read-config.ts';
import { optionsTable } from '../../config/options.ts';
import { makeSpec } from '../../daemon/make-spec.ts';
import { resolveCommand, resolveTarget } from '../../programs/resolve.ts';
import type { Caller, ConfigApp } from '../../protocol/api.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { writeSteadConfig } from './write.ts';

/** As `apply` does it, on a machine that can enforce everything. */
async function made({ kind, script, command, args, options }: ConfigApp, caller: Caller): Promise<AppSpec> {
  const resolved =
    script === null
      ? await resolveCommand({ command: [...command, ...args], options, caller })
      : await resolveTarget({ target: script, rest: args, options, caller });
  return makeSpec({ kind, resolved, options, caller }, { controllers: new Set(['memory', 'cpu', 'pids']) });
}

/** What a file adds by itself: the name, and the directory in place of the one where somebody was. */
const comparable = ({ options: { name: _name, cwd: _cwd, ...options }, ...spec }: AppSpec) => ({ ...spec, options });

/** Written for the directory that it was said in, for none, or for another. */
async function assertSame(app: ConfigApp, caller: Caller, directories: readonly (string | null)[]): Promise<void> {
  const before = await made(app, caller);
  for (const directory of directories) {
    const [file] = writeSteadConfig([outgoingOf(before, { withSecrets: true })], directory).files;
    const [read] = readConfig(file!.text, 'x.yaml', { env: {} });
    const after = await made(read!, { ...caller, cwd: directory ?? '/tmp' });
    assert.deepEqual(comparable(after), comparable(before), file!.text);
  }
}

function place(t: Parameters<typeof temporaryDirectory>[0]): Caller {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'sub'));
  for (const name of ['x.env', 'sub/y.env']) writeFileSync(join(directory, name), `FROM_${name.length}=1\n`);
  writeFileSync(join(directory, 'server.js'), '#!/usr/bin/env node\n', { mode: 0o755 });
  writeFileSync(join(directory, 'own.sh'), '#!/bin/sh\n', { mode: 0o755 });
  return { ...captureCaller(), cwd: directory };
}

test('every option of the table comes back as it was', async (t) => {
  const caller = place(t);
  const samples = optionSamples();
  assert.deepEqual(new Set(samples.map(({ key }) => key)), new Set(optionsTable.map(({ key }) => key)));
  for (const [at, { key, kind, options }] of (samples as readonly Sample[]).entries()) {
    // Scripts are looked into, which takes a while.
    const program = key.startsWith('interpreter')
      ? { script: 'server.js', command: [] }
      : { script: null, command: ['true'] };
    await assertSame({ kind, args: [], ...program, options: { name: 'x', ...options } }, caller, [
      at % 3 === 0 ? null : caller.cwd,
    ]);
  }
});

test('every way to say what runs comes back as it was', async (t) => {
  const caller = place(t);
  const ways: readonly Pick<ConfigApp, 'script' | 'command' | 'args'>[] = [
    { script: 'server.js', command: [], args: ['--port', '80', 'no', '', 'a b', '-x=null', '\udc80'] },
    { script: 'own.sh', command: [], args: [] },
    { script: null, command: ['sleep', '100'], args: [] },
    { script: null, command: ['./own.sh', '~'], args: [] },
    { script: null, command: ['sh', '-c', 'a && b | c', 'x'], args: [] },
    { script: null, command: ['echo "a" && exit 3 # c'], args: [] },
  ];
  for (const way of ways)
    await assertSame({ kind: 'app', ...way, options: { name: 'x' } }, caller, [caller.cwd, null, '/']);
});

test('a line for the shell with arguments is written as the words that it is', () => {
  const interpreter = { name: 'sh', path: '/bin/sh', args: ['-c'] };
  const spec = specOf('x', {}, { program: { how: 'shell', words: ['echo $1', 'sh', 'a'], interpreter } });
  const [app] = readConfig(writeSteadConfig([outgoingOf(spec)], null).files[0]!.text, 'x');
  assert.deepEqual(app!.command, ['sh', '-c', 'echo $1', 'sh', 'a']);
});

test('what was behind a shim is looked up again by the name that was typed', () => {
  const program = {
    how: 'command',
    words: ['--x'],
    interpreter: { name: 'ruby', path: '/opt/ruby-3/bin/ruby', args: [] },
  } as const;
  const [app] = readConfig(writeSteadConfig([outgoingOf(specOf('x', {}, { program }))], null).files[0]!.text, 'x');
  assert.deepEqual(app!.command, ['ruby', '--x']);
});

test('any value of a variable and any word comes back as it was', () => {
  const unit = fc.oneof(
    fc.constantFrom('$', '{', '}', 'A', ':-'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const text = fc.string({ unit }).map((value) => value.replaceAll('\0', ''));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('A', 'B', 'a-b', '__proto__', '<<', '1'), text)),
      fc.array(text),
      (entries, words) => {
        const env = entries.map(([name, value]) => `${name}=${value}`);
        const program = { how: 'script', words: ['/x.js', ...words], interpreter: null } as const;
        const [file] = writeSteadConfig([outgoingOf(specOf('x', { env }, { program }))], null).files;
        const [app] = readConfig(file!.text, 'x', { env: {} });
        assert.deepEqual(app!.args, words);
        assert.deepEqual(new Map(app!.options.env?.map(divided)), new Map(env.map(divided)));
      },
    ),
    { numRuns: 200 },
  );
});

const divided = (entry: string): [string, string] => {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
};

test('what looks secret is left out and named, unless it was asked for', () => {
  const spec = specOf('x', { env: ['API_KEY=1', 'URL=postgres://u:p@h/db', 'PORT=80'] }, { env: ['HOME=/root'] });
  const plain = writeSteadConfig([outgoingOf(spec)], null).files[0]!;
  assert.match(plain.text, /# Left out of env, .*: API_KEY, URL\./);
  assert.deepEqual(readConfig(plain.text, 'x')[0]!.options.env, ['PORT=80']);
  const all = writeSteadConfig([outgoingOf(spec, { withEnv: true, withSecrets: true })], null).files[0]!;
  assert.deepEqual(readConfig(all.text, 'x')[0]!.options.env, spec.env);
  assert.ok(plain.isPrivate && all.isPrivate);
  assert.ok(!writeSteadConfig([outgoingOf(specOf('x'))], null).files[0]!.isPrivate);
});

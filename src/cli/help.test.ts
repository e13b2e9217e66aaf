import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from './catalogue.ts';
import { command as completion } from './commands/completion.ts';
import { command as help } from './commands/help.ts';
import { renderHelp, renderOverview } from './render/help.ts';
import { allFlags } from './run-command.ts';
import { topics } from './topics.ts';
import { allVerbWords, findVerb, verbs } from './verbs.ts';

const all = [...catalogue, completion, help];

test('every verb has one command and every command one verb', () => {
  assert.deepEqual(all.map(({ name }) => name).sort(), Object.keys(verbs).sort());
  const words = allVerbWords();
  assert.equal(new Set(words).size, words.length);
});

test('status is list, and show with a name', () => {
  assert.equal(findVerb('status', []), 'list');
  assert.equal(findVerb('status', ['--json']), 'list');
  assert.equal(findVerb('status', ['web']), 'show');
  assert.equal(findVerb('__proto__', []), undefined);
  assert.equal(findVerb('constructor', []), undefined);
});

test('help has examples, names each option, and fits 80 columns', () => {
  const pages = all.map((command) => ({ command, lines: renderHelp(command, allFlags(command)) }));
  for (const { command, lines } of pages) {
    assert.ok(command.examples.length > 0, command.name);
    for (const { name } of allFlags(command))
      assert.ok(lines.some((line) => line.includes(`--${name}`) || line.includes(`--no-${name}`)));
  }
  const texts = [
    ...pages.flatMap(({ lines }) => lines),
    ...renderOverview(Object.keys(topics)),
    ...Object.values(topics).flat(),
  ];
  for (const line of texts) assert.ok(line.length <= 80, `${line.length}: ${line}`);
});

test('no command has two flags of one name', () => {
  for (const command of all) {
    const shown = allFlags(command).flatMap(({ name, short }) => (short ? [name, short] : [name]));
    assert.equal(new Set(shown).size, shown.length, command.name);
  }
});

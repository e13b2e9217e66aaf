/** The man page and docs/reference/commands.md have a section for each command, with each of its flags and examples. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../../test/support/paths.ts';
import { optionsTable } from '../config/options.ts';
import { type Flag, flagName } from '../config/parse.ts';
import { errorCatalogue } from '../protocol/errors.ts';
import { catalogue } from './catalogue.ts';
import type { Command } from './command.ts';
import { command as completion } from './commands/completion.ts';
import { command as help } from './commands/help.ts';
import { allFlags } from './run-command.ts';

const all = [...catalogue, completion, help];
const read = (path: string) => readFileSync(join(repository, path), 'utf8');

test('the man page has every command with every flag, every option, and every error', () => {
  const page = unescaped(read('docs/stead.1'));
  const sections = sectionsOf(page, /^\.S[SH] "?([^"\n]+)"?$/gm);
  for (const command of all) assertTold(command, sections.get(`stead ${command.name}`));
  const options = page.slice(page.indexOf('.SH OPTIONS OF APPS'));
  for (const { key, text } of optionsTable) {
    assert.match(options, tagOf({ name: flagName(key) }), key);
    assert.ok(options.includes(text), key);
  }
  assert.match(sections.get('OPTIONS') ?? '', tagOf({ name: 'help', short: 'h' }));
  for (const code of Object.keys(errorCatalogue)) assert.ok(sections.get('EXIT STATUS')?.includes(code), code);
});

test('docs/reference/commands.md has every command with every flag, and every error', () => {
  const page = read('docs/reference/commands.md').replaceAll('\\', '').replaceAll('`', '');
  const sections = sectionsOf(page, /^## (.+)$/gm);
  for (const command of all) assertTold(command, sections.get(`stead ${command.name}`));
  for (const code of Object.keys(errorCatalogue)) assert.ok(sections.get('Exit codes')?.includes(code), code);
});

test('no line of the man page is taken for a request that is none', () => {
  const requests = ['\\"', 'TH', 'SH', 'SS', 'PP', 'TP', 'B', 'I', 'RS', 'RE', 'nf', 'fi', 'nh', 'ad'];
  for (const line of read('docs/stead.1')
    .split('\n')
    .filter((each) => /^[.']/.test(each)))
    assert.ok(line.startsWith('.') && requests.includes(line.slice(1).split(' ')[0]!), line);
});

/** By their headings. */
function sectionsOf(page: string, heading: RegExp): Map<string, string> {
  const found = [...page.matchAll(heading)];
  return new Map(found.map((match, at) => [match[1]!, page.slice(match.index, found[at + 1]?.index)]));
}

function assertTold(command: Command, section: string | undefined): void {
  assert.ok(section, command.name);
  for (const form of command.usage) assert.ok(section.includes(ascii(form)) || section.includes(form), form);
  for (const [line] of command.examples) assert.ok(section.includes(line), line);
  for (const flag of allFlags(command).filter(({ name }) => name !== 'help'))
    assert.match(
      section,
      tagOf(flag.section === undefined ? flag : { name: flag.name }),
      `${command.name} ${flag.name}`,
    );
}

/** The flag whole: `--env` is not told by `--env-file`. */
const tagOf = ({ name, short }: Pick<Flag, 'name' | 'short'>): RegExp =>
  new RegExp(`${short ? `-${short}, ` : ''}--(no-)?${name}(?![\\w-])`);

/** As the man page has it. */
const ascii = (text: string): string => text.replaceAll('…', '...');

/** What a reader sees of a page in roff. */
function unescaped(page: string): string {
  const marks: Readonly<Record<string, string>> = {
    e: '\\',
    '-': '-',
    '&': '',
    '(aq': "'",
    '(ga': '`',
    '(ha': '^',
    '(ti': '~',
  };
  return page.replace(/\\f[BIR]/g, '').replace(/\\(\([a-z]{2}|[e&-])/g, (_, mark: string) => marks[mark] ?? '');
}

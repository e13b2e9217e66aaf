/** Help, made from the records of the commands. 80 columns. */
import type { Flag } from '../../config/parse.ts';
import type { Command } from '../command.ts';
import { verbs } from '../verbs.ts';

const width = 80;

/** `stead help`. */
export function renderOverview(topics: readonly string[]): string[] {
  const lines = Object.entries(verbs).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return [
    'stead runs programs in your stead: it starts anything as a daemon, keeps it',
    'running, and shows what it does.',
    '',
    'Usage: stead <command> [options]',
    '',
    ...lines,
    '',
    '<sel> is a name, name:index, an id, @group or all. --json prints JSON.',
    ...wrap(`More: stead help <command>, or ${topics.join(', ')}`, width),
  ];
}

/** `stead help <verb>`, `stead <verb> --help`. */
export function renderHelp(command: Command, flags: readonly Flag[]): string[] {
  const { summary, synonyms } = verbs[command.name];
  return [
    `stead ${command.name}: ${summary}`,
    '',
    ...command.usage.map((line, at) => `${at === 0 ? 'Usage: ' : '       '}stead ${line}`),
    ...(synonyms.length > 0 ? [`Also:  ${synonyms.map((word) => `stead ${word}`).join(', ')}`] : []),
    '',
    ...command.about.flatMap((paragraph) => [...wrap(paragraph, width), '']),
    'Examples:',
    ...command.examples.flatMap(exampleLines),
    '',
    ...flagSections(flags),
  ];
}

/** Text beside its command if both are short. */
function exampleLines([line, text]: readonly [string, string]): string[] {
  const column = 44;
  if (line.length + 2 < column && column + 2 + text.length <= width) return [`  ${line.padEnd(column - 2)}  ${text}`];
  return [`  ${line}`, ...wrap(text, width - 6).map((part) => `      ${part}`)];
}

/** Those of the options table under their headings, the command's own before them. */
function flagSections(flags: readonly Flag[]): string[] {
  const named = [...new Set(flags.flatMap(({ section }) => section ?? []))];
  const sections = [undefined, ...named].filter((section) => flags.some((flag) => flag.section === section));
  return sections.flatMap((section, at) => [
    ...(at === 0 ? [] : ['']),
    section === undefined ? 'Options:' : `${section[0]!.toUpperCase()}${section.slice(1)}:`,
    ...flags.filter((flag) => flag.section === section).flatMap(flagLines),
  ]);
}

const flagColumn = 32;

function flagLines({ name, short, type, value, default: standard, text }: Flag): string[] {
  const isOn = type === 'boolean' && standard === 'on';
  const head = `  ${short ? `-${short}, ` : '    '}--${isOn ? 'no-' : ''}${name}${value ? ` <${value}>` : ''}`;
  const isTelling = standard !== undefined && standard !== 'none' && standard !== 'off' && !isOn;
  const parts = wrap(isTelling ? `${text} (default: ${standard})` : text, width - flagColumn);
  const first = head.length < flagColumn ? `${head.padEnd(flagColumn)}${parts.shift()}` : head;
  return [first, ...parts.map((part) => ' '.repeat(flagColumn) + part)];
}

/** Words in lines no longer than `columns`. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

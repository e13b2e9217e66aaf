/**
 * `ExecStart=` and its relations → what is executed: prefixes, words, variables (systemd.service(5), "Command lines"). `$NAME` as a word of its own becomes
 * several words, `${NAME}` anywhere is put in as it is, `$$` is a dollar sign. What is known from Environment= is put in; what is not (it comes from a file, or
 * from whoever starts it) is left to a shell, which does the same at each start.
 */
import { own } from '../../own.ts';
import { shellWord } from '../../shell.ts';
import { splitUnitWords, unitWords } from './words.ts';

export interface ExecCommand {
  /** `-`: a failure is none. */
  readonly isLenient: boolean;
  /** Other prefixes: `@`, `+`, `!`, `:`. */
  readonly prefixes: string;
  readonly words: readonly Word[];
}

/** A word: literal parts, and variables. A bare variable stands for as many words as it has. */
export type Word = readonly Part[];
export type Part = string | { readonly name: string; readonly isBare: boolean };

export interface CommandContext {
  /** Resolves specifiers. */
  readonly specify: (text: string) => string;
  /** Variables that are known and don't change. */
  readonly known: Readonly<Record<string, string>>;
}

/** The commands of one line, which `;` separates. Null if it can't be taken apart. */
export function readExec(line: string, context: CommandContext): readonly ExecCommand[] | null {
  const words = unitWords(line);
  if (words === null) return null;
  const commands: string[][] = [[]];
  for (const { word, raw } of words) {
    // In quotes it separates nothing.
    if (raw === ';') commands.push([]);
    else commands.at(-1)!.push(raw === '\\;' ? ';' : word);
  }
  return commands.filter((command) => command.length > 0).map((command) => oneCommand(command, context));
}

function oneCommand([head = '', ...rest]: readonly string[], context: CommandContext): ExecCommand {
  const [, prefixes = '', path = head] = /^([-@:+!|]*)(.*)$/s.exec(head) ?? [];
  // The word after it is argv[0], which can't be set here.
  const args = prefixes.includes('@') ? rest.slice(1) : rest;
  const partsOf = (word: string): Word => (prefixes.includes(':') ? [word] : variablesOf(word));
  const words = [[context.specify(path)], ...args.map((word) => partsOf(context.specify(word)))];
  return {
    isLenient: prefixes.includes('-'),
    prefixes: prefixes.replaceAll('-', ''),
    words: words.flatMap((word) => settled(word, context.known)),
  };
}

function variablesOf(word: string): Word {
  const bare = /^\$([A-Za-z_]\w*)$/.exec(word)?.[1];
  if (bare !== undefined) return [{ name: bare, isBare: true }];
  const parts: Part[] = [];
  let from = 0;
  for (const match of word.matchAll(/\$\$|\$\{([A-Za-z_]\w*)\}/g)) {
    parts.push(word.slice(from, match.index));
    parts.push(match[1] === undefined ? '$' : { name: match[1], isBare: false });
    from = match.index + match[0].length;
  }
  return [...parts, word.slice(from)].filter((part) => part !== '' || word === '');
}

/** With what is known put in. */
function settled(word: Word, known: Readonly<Record<string, string>>): readonly Word[] {
  const [only] = word;
  if (typeof only === 'object' && only.isBare) {
    if (!Object.hasOwn(known, only.name)) return [word];
    return (splitUnitWords(known[only.name]!) ?? [known[only.name]!]).map((each) => [each]);
  }
  const parts = word.map((part) =>
    typeof part === 'object' ? (Object.hasOwn(known, part.name) ? known[part.name]! : part) : part,
  );
  return [joined(parts)];
}

/** Literal parts side by side are one. */
function joined(parts: Word): Word {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (typeof part === 'string' && typeof last === 'string') all[all.length - 1] = last + part;
    else all.push(part);
  }
  return all;
}

/** Its words, if none of them must be looked up. */
export function literalWords({ words }: ExecCommand): readonly string[] | null {
  const isLiteral = words.every((word) => word.every((part) => typeof part === 'string'));
  return isLiteral ? words.map((word) => word.join('')) : null;
}

/** As it stands in a line for sh. `variables` renames some. */
export function shellText({ words }: ExecCommand, variables: Readonly<Record<string, string>> = {}): string {
  return words
    .map((word) => {
      const [only] = word;
      const named = (name: string) => own(variables, name) ?? name;
      if (typeof only === 'object' && only.isBare) return `$${named(only.name)}`;
      return (
        word
          .map((part) => (typeof part === 'object' ? `"\${${named(part.name)}}"` : shellWordOrNothing(part, word)))
          .join('') || "''"
      );
    })
    .join(' ');
}

/** An empty part of a longer word is nothing. */
const shellWordOrNothing = (part: string, word: Word): string =>
  part === '' && word.length > 1 ? '' : shellWord(part);

/** The variables that a shell has to look up. */
export const variablesIn = (commands: readonly ExecCommand[]): readonly string[] => [
  ...new Set(
    commands.flatMap(({ words }) =>
      words.flatMap((word) => word.flatMap((part) => (typeof part === 'object' ? [part.name] : []))),
    ),
  ),
];

/** What is run before, and then, in its place, the program. */
export function commandValue(before: readonly ExecCommand[], main: readonly ExecCommand[]): readonly string[] {
  const last = main.at(-1)!;
  const words = literalWords(last);
  const earlier = [...before, ...main.slice(0, -1)];
  if (words !== null && earlier.length === 0) return words;
  const isSplit = [...earlier, last].some(({ words: all }) =>
    all.some(([only]) => typeof only === 'object' && only.isBare),
  );
  const steps = earlier.map((command) => (command.isLenient ? `{ ${shellText(command)} || :; }` : shellText(command)));
  // What a variable holds is split into words, and no pattern of file names.
  const start = isSplit ? 'set -f; ' : '';
  return ['sh', '-c', `${start}${[...steps, `exec ${shellText(last)}`].join(' && ')}`];
}

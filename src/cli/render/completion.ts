/** Completion scripts, made from the commands' flags. Names of apps are asked for when needed: `stead list` is fast enough. */
import type { Flag } from '../../config/parse.ts';
import { type Verb, verbs } from '../verbs.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export interface Completed {
  readonly name: string;
  readonly flags: readonly Flag[];
}

/** These take the names of apps; `start` and `run` files, too. */
const takesApps = [
  'start',
  'show',
  'logs',
  'stop',
  'restart',
  'reload',
  'scale',
  'delete',
  'signal',
  'reset',
  'flush',
  'wait',
  'pid',
];
const takesFiles = ['start', 'run'];

const words: Readonly<Record<string, string>> = {
  daemon: 'status stop restart run prepare logs',
  completion: shells.join(' '),
  help: Object.keys(verbs).join(' '),
};

const names = `stead list -a --json 2>/dev/null | tr '{' '\\n' | sed -n 's/^"id":[0-9]*,"name":"\\([^"]*\\)".*/\\1/p'`;

export function renderCompletion(shell: Shell, commands: readonly Completed[]): string {
  return { bash, zsh, fish }[shell](commands);
}

const withSynonyms = (name: string) => [name, ...(verbs as Readonly<Record<string, Verb>>)[name]!.synonyms];
const flagWords = ({ flags }: Completed) => flags.map(({ name }) => `--${name}`).join(' ');
const verbWords = () => [...Object.keys(verbs).flatMap(withSynonyms), 'status'].join(' ');

/** `case` branches of a POSIX-like shell that set `flags` for the verb. */
function branches(commands: readonly Completed[]): string {
  const flags = commands.map((one) => `    ${withSynonyms(one.name).join('|')}) flags='${flagWords(one)}' ;;`);
  return flags.join('\n');
}

function kinds(): string {
  const apps = takesApps.flatMap(withSynonyms).concat('status').join('|');
  const fixed = Object.entries(words).map(([verb, list]) => `    ${verb}) found='${list}' ;;`);
  return [`    ${apps}) found="$(${names})" ;;`, ...fixed].join('\n');
}

function bash(commands: readonly Completed[]): string {
  return `_stead() {
  local word="\${COMP_WORDS[COMP_CWORD]}" verb="\${COMP_WORDS[1]}" flags='' found=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${verbWords()}' -- "$word"))
    return
  fi
  case "$verb" in
${branches(commands)}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    return
  fi
  case "$verb" in
${kinds()}
  esac
  COMPREPLY=($(compgen -W "$found" -- "$word"))
  case "$verb" in
    ${takesFiles.join('|')}) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _stead stead`;
}

function zsh(commands: readonly Completed[]): string {
  return `#compdef stead
_stead() {
  local verb="\${words[2]}" flags='' found=''
  if (( CURRENT == 2 )); then
    compadd -- ${verbWords()}
    return
  fi
  case "$verb" in
${branches(commands)}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    compadd -- \${=flags}
    return
  fi
  case "$verb" in
${kinds()}
  esac
  compadd -- \${=found}
  case "$verb" in
    ${takesFiles.join('|')}) _files ;;
  esac
}
compdef _stead stead`;
}

function fish(commands: readonly Completed[]): string {
  const describe = Object.entries(verbs).map(
    ([name, { summary }]) => `complete -c stead -n __fish_use_subcommand -f -a ${name} -d '${inFish(summary)}'`,
  );
  const flagLines = commands.flatMap((one) => one.flags.map((flag) => fishFlag(one.name, flag)));
  const fixed = Object.entries(words).map(([verb, list]) => `complete -c stead -n '${after(verb)}' -f -a '${list}'`);
  const apps = takesApps.map(
    (verb) => `complete -c stead -n '${after(verb)}' ${takesFiles.includes(verb) ? '' : '-f '}-a '(__stead_apps)'`,
  );
  return [`function __stead_apps`, `  ${names}`, 'end', ...describe, ...flagLines, ...fixed, ...apps].join('\n');
}

const after = (verb: string) => `__fish_seen_subcommand_from ${withSynonyms(verb).join(' ')}`;

const inFish = (text: string): string => text.replaceAll("'", "\\'");

function fishFlag(verb: string, { name, short, type, text }: Flag): string {
  const parts = [
    `-l ${name}`,
    ...(short ? [`-s ${short}`] : []),
    ...(type === 'boolean' ? [] : ['-r']),
    `-d '${inFish(text)}'`,
  ];
  return `complete -c stead -n '${after(verb)}' ${parts.join(' ')}`;
}

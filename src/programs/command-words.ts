/**
 * Which word of a command line says what it runs: `npm run api` → `api`, `python3 -m http.server` → `http.server`,
 * `env A=1 node x.js` → `x`. A guess for a default name, never a decision about what is executed.
 */
import { basename } from 'node:path';

/** How a program that runs another one is read. */
interface Runner {
  /** Options whose value is a word of its own. */
  readonly valued?: readonly string[];
  /** Options whose value is what it runs: a module, a jar. */
  readonly names?: readonly string[];
  /** Options whose value is code: nothing in it is a name. */
  readonly code?: readonly string[];
  /** Options whose value is a command line for a shell. */
  readonly shell?: readonly string[];
  /** `NAME=value` words before the command are skipped. */
  readonly assignments?: boolean;
  /** Subcommands before what it runs. */
  readonly subcommands?: readonly string[];
  /** Words before the command that are no options: the duration of `timeout`. */
  readonly skip?: number;
  /** What it runs is the name of a task, never a runner. */
  readonly task?: boolean;
}

const shell: Runner = { valued: ['-o', '-O', '--rcfile', '--init-file'], shell: ['-c'] };
const node: Runner = {
  valued: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--env-file'],
  code: ['-e', '-p', '--eval', '--print'],
  subcommands: ['watch'],
};
const python: Runner = { valued: ['-W', '-X'], names: ['-m'], code: ['-c'] };
const packages: Runner = {
  valued: ['-w', '--workspace', '--prefix', '-C', '--dir', '--cwd', '-F', '--filter', '-p', '--package'],
  subcommands: ['run', 'run-script', 'exec', 'x', 'dlx', 'workspace'],
  task: true,
};

const runners: Readonly<Record<string, Runner>> = {
  sh: shell,
  bash: shell,
  dash: shell,
  ash: shell,
  zsh: shell,
  ksh: shell,
  fish: shell,
  busybox: {},
  node,
  nodejs: node,
  tsx: node,
  'ts-node': node,
  nodemon: { valued: ['-w', '--watch', '-e', '--ext', '-i', '--ignore', '-d', '--delay'], shell: ['-x', '--exec'] },
  python,
  pypy: python,
  ruby: { valued: ['-r', '-I', '-C'], code: ['-e'] },
  perl: { valued: ['-I'], code: ['-e', '-E'] },
  php: { valued: ['-c', '-d'], names: [], code: ['-r', '-S'] },
  lua: { valued: ['-l'], code: ['-e'] },
  java: { valued: ['-cp', '-classpath', '--class-path'], names: ['-jar'] },
  dotnet: { subcommands: ['run', 'exec'], valued: ['--project'] },
  go: { subcommands: ['run'] },
  npm: packages,
  pnpm: packages,
  yarn: packages,
  bun: { ...packages, task: false },
  npx: { valued: ['-p', '--package'], shell: ['-c', '--call'] },
  bunx: {},
  deno: { subcommands: ['run', 'task', 'serve'], valued: ['-c', '--config'] },
  env: { valued: ['-u', '--unset', '-C', '--chdir'], shell: ['-S'], assignments: true },
  'cross-env': { assignments: true },
  dotenv: { valued: ['-e', '-f'] },
  sudo: { valued: ['-u', '-g', '-C', '-h', '-p', '-U', '-r', '-t'], assignments: true },
  doas: { valued: ['-u', '-C'] },
  nice: { valued: ['-n', '--adjustment'] },
  ionice: { valued: ['-c', '-n', '--class', '--classdata'] },
  chrt: { skip: 1 },
  taskset: { skip: 1 },
  nohup: {},
  setsid: {},
  exec: {},
  command: {},
  time: {},
  stdbuf: { valued: ['-i', '-o', '-e'] },
  timeout: { valued: ['-k', '-s', '--kill-after', '--signal'], skip: 1 },
  setpriv: { valued: ['--reuid', '--regid', '--groups'] },
  'xvfb-run': { valued: ['-n', '-s', '-e', '-f', '-p', '-w'] },
  uv: { subcommands: ['run'] },
  poetry: { subcommands: ['run'] },
  pipenv: { subcommands: ['run'] },
  bundle: { subcommands: ['exec'] },
};

/** The word of a command line that names what runs, without directory and extension. */
export function wordThatNames(words: readonly string[]): string {
  return fromCommand(words, 0) ?? 'command';
}

/** A path's last part without its extension; a name that only begins with a dot keeps it. */
export function withoutExtension(base: string): string {
  return base.replace(/(?<=.)\.[A-Za-z][A-Za-z0-9]{0,4}$/, '');
}

/** How deep one runner may stand in another: a hostile line must not recurse without end. */
const deepest = 20;

function fromCommand(words: readonly string[], depth: number): string | null {
  const first = words[0];
  if (first === undefined) return null;
  const runner = runnerOf(first);
  if (runner === undefined || depth > deepest) return plainWord(first);
  return fromRunner(runner, words.slice(1), depth) ?? plainWord(first);
}

/** Whether a word is a program whose job is to run others. */
export const isRunner = (word: string): boolean => runnerOf(word) !== undefined;

/** `/usr/bin/python3.11` → python's. */
function runnerOf(word: string): Runner | undefined {
  const base = basename(word);
  const known = [base, base.replace(/[0-9.]+$/, '')].find((name) => Object.hasOwn(runners, name));
  return known === undefined ? undefined : runners[known];
}

/** Modules and tasks keep their dots; files lose directory and extension. */
function plainWord(word: string): string {
  return withoutExtension(basename(word)) || word;
}

function fromRunner(runner: Runner, words: readonly string[], depth: number): string | null {
  let at = 0;
  let skip = runner.skip ?? 0;
  let isTask = false;
  for (; at < words.length; at++) {
    const word = words[at]!;
    const next = words[at + 1];
    if (word === '--') continue;
    if (runner.shell?.some((option) => isOption(word, option)))
      return next === undefined ? null : fromShell(next, depth + 1);
    if (runner.code?.includes(word)) return null;
    if (runner.names?.includes(word)) return next === undefined ? null : basename(next).replace(/\.jar$/, '');
    if (runner.valued?.includes(word)) at++;
    else if (runner.subcommands?.includes(word)) isTask = runner.task === true && word.startsWith('run');
    else if (word.startsWith('-') && word.length > 1) continue;
    else if (runner.assignments && isAssignment(word)) continue;
    else if (skip > 0) skip--;
    else break;
  }
  if (at >= words.length) return null;
  return isTask ? words[at]! : fromCommand(words.slice(at), depth + 1);
}

/** `-c`, also at the end of a cluster: `-lc`. */
const isOption = (word: string, option: string) =>
  word === option || (option.length === 2 && /^-[a-z]+$/.test(word) && word.endsWith(option[1]!));

const isAssignment = (word: string) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);

/** What only prepares: the command is in a later part. */
const preparations = new Set([
  'cd',
  'export',
  'set',
  'unset',
  'trap',
  'ulimit',
  'umask',
  'true',
  ':',
  'test',
  '[',
  'source',
  '.',
  'shift',
  'for',
]);
/** Runs nothing: `sh -c 'exit 7'` is called sh. */
const endings = new Set(['exit', 'return']);
const keywords = new Set(['while', 'until', 'do', 'then', 'else', 'if', '!', '{', '}', '(', ')', 'done', 'fi']);

/** The name in a shell's command line: `cd /srv && PORT=1 exec node web.js` → `web`. */
function fromShell(text: string, depth: number): string | null {
  const parts = text
    .slice(0, 4096)
    .split(/&&|\|\||[;|&\n]/)
    .map(commandOfPart)
    .filter((words) => words.length > 0 && !endings.has(words[0]!));
  const part = parts.find((words) => !preparations.has(words[0]!)) ?? parts[0];
  return part === undefined ? null : fromCommand(part, depth);
}

function commandOfPart(part: string): string[] {
  const tokens = part.match(/"[^"]*"|'[^']*'|[^\s()]+/g) ?? [];
  const words = tokens.map((token) => token.replace(/^(["'])(.*)\1$/s, '$2'));
  const start = words.findIndex((word) => !keywords.has(word) && !isAssignment(word));
  return start < 0 ? [] : words.slice(start).filter((word) => word !== '');
}

/** The name in a command line that a shell is to run. */
export function wordThatNamesInShell(text: string): string {
  return fromShell(text, 0) ?? 'command';
}

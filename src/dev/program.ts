/** From settings to what is executed: nodemon's rules for what runs a script, over stead's own. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { nearest } from '../config/nearest.ts';
import { quote } from '../config/values.ts';
import { findCommand } from '../programs/find.ts';
import { commandMissing } from '../programs/not-found.ts';
import { readPackage } from '../programs/project.ts';
import { shellWord } from '../programs/quote.ts';
import { type Resolved, resolveCommand, resolveTarget } from '../programs/resolve.ts';
import { SteadError } from '../protocol/errors.ts';
import { leadingFlags } from './flags.ts';
import type { ProgramSettings } from './settings.ts';

export interface Launch {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** As a person would type it. */
  readonly shown: string;
  /** The script's path; null for a command. */
  readonly script: string | null;
  /** A shell runs it. */
  readonly isShell: boolean;
  readonly notes: readonly string[];
}

export interface LaunchRequest {
  readonly program: ProgramSettings;
  readonly cwd: string;
  /** First extension that was asked for, without the dot. */
  readonly ext: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/** nodemon's own; what else it maps is found by stead. */
const usualMap: Readonly<Record<string, string>> = { coffee: 'coffee', litcoffee: 'coffee' };

/** Throws USAGE where there is nothing to run, PROGRAM_NOT_FOUND and its kind for what isn't there. */
export async function launchOf(request: LaunchRequest): Promise<Launch> {
  const { cwd } = request;
  const env = environmentOf(request);
  const program = await withScript(completed(request), cwd);
  const exec = program.exec ?? mappedExec(program);
  if (exec !== null) return shellLaunch(program, exec, { cwd, env });
  if (program.script === null) throw nothingToRun(program.before);
  return resolvedLaunch(program, program.script, { cwd, env });
}

/** What programs, hooks and gates are given. nodemon's PATH has the project's own commands first. */
export function environmentOf({ program, cwd, env }: LaunchRequest): Record<string, string> {
  const own = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
  const path = program.env.PATH ?? own.PATH;
  return {
    ...program.env,
    ...own,
    PATH: `${resolve(cwd, 'node_modules/.bin')}${path === undefined ? '' : `:${path}`}`,
  };
}

/** `app` may be `app.js`. */
function completed({ program, cwd, ext }: LaunchRequest): ProgramSettings {
  const { script } = program;
  if (script === null || existsSync(resolve(cwd, script))) return program;
  const longer = `${script}.${ext ?? 'js'}`;
  return existsSync(resolve(cwd, longer)) ? { ...program, script: longer } : program;
}

/** Without one: `main` of package.json, index.js, `scripts.start`. */
async function withScript(program: ProgramSettings, cwd: string): Promise<ProgramSettings> {
  if (program.script !== null || program.exec !== null) return program;
  const content = await readPackage(cwd);
  if (typeof content?.main === 'string') return { ...program, script: content.main };
  if (existsSync(resolve(cwd, 'index.js'))) return { ...program, script: 'index.js' };
  const start = (content?.scripts as Record<string, unknown> | undefined)?.start;
  // It would start itself, for ever.
  if (typeof start !== 'string' || /\bnodemon\b|\bstead dev\b/.test(start)) return program;
  return { ...program, exec: start };
}

/** `before`: words that are no options here, and may be node's. */
function nothingToRun([stray]: readonly string[]): SteadError {
  const why = 'no script was named, and package.json has neither main nor scripts.start';
  if (stray === undefined)
    return new SteadError('USAGE', `There is nothing to run: ${why}`, { hint: 'stead dev server.js' });
  const near = stray.startsWith('--') ? nearest(stray.split('=', 1)[0]!, optionWords) : undefined;
  return new SteadError(
    'USAGE',
    `stead dev has no option ${quote(stray)}, and as one of node's it needs a script: ${why}`,
    {
      hint:
        near === undefined
          ? `all options: stead help dev; for node: stead dev ${stray} server.js`
          : `did you mean ${near}?`,
    },
  );
}

const optionWords = leadingFlags.map(({ name }) => `--${name}`);

function mappedExec({ script, execMap }: ProgramSettings): string | null {
  const extension = extname(script ?? '').slice(1);
  if (Object.hasOwn(execMap, extension)) return execMap[extension]!;
  return Object.hasOwn(usualMap, extension) ? usualMap[extension]! : null;
}

interface Place {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

async function shellLaunch(program: ProgramSettings, exec: string, { cwd, env }: Place): Promise<Launch> {
  const { script, before, args, execArgs } = program;
  const filled = (text: string) => text.replaceAll('{{filename}}', script ?? '').replaceAll('{{pwd}}', cwd);
  const isFilled = [exec, ...execArgs].some((text) => text.includes('{{filename}}'));
  const words = [...execArgs.map(filled), ...before, ...(script === null || isFilled ? [] : [script]), ...args];
  const line = [filled(exec), ...words.map(shellWordExact)].join(' ');
  await assertThere(line, { cwd, env });
  return {
    file: '/bin/sh',
    argv: ['-c', line],
    env,
    cwd,
    shown: line,
    script: script === null ? null : resolve(cwd, script),
    isShell: true,
    notes: [],
  };
}

/** As a shell takes it for what it is. */
const shellWordExact = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Throws PROGRAM_NOT_FOUND where the first word is a plain command and there is none of that name. */
async function assertThere(line: string, { cwd, env }: Place): Promise<void> {
  const word = /^\s*([\w@%+:,./-]+)(?=\s|$)/.exec(line)?.[1];
  if (word === undefined) return;
  const found = await findCommand(word, { path: env.PATH, cwd });
  if (found.how === 'missing' && !shellWords.has(word)) throw await commandMissing(word, { path: env.PATH, cwd });
}

const shellWords = new Set(
  '. : alias bg break case cd command continue echo eval exec exit export false fg for getopts hash if jobs kill printf pwd read readonly return set shift test times trap true type ulimit umask unalias unset until wait while'.split(
    ' ',
  ),
);

async function resolvedLaunch(program: ProgramSettings, target: string, { cwd, env }: Place): Promise<Launch> {
  const caller = { cwd, env: Object.entries(env).map(([name, value]) => `${name}=${value}`), limits: {} };
  const { before, args, execArgs } = program;
  const path = resolve(cwd, target);
  const stats = statSync(path, { throwIfNoEntry: false });
  const flags = [...execArgs, ...before];
  // Node finds what a directory means.
  const command = stats?.isDirectory() ? ['node', ...flags, target, ...args] : null;
  const options = {
    ...(flags.length > 0 && { interpreterArgs: flags }),
    ...(stats?.isFile() && isForNode(path) && { interpreter: 'node' }),
  };
  const resolving =
    command === null
      ? resolveTarget({ target, rest: args, options, caller })
      : resolveCommand({ command, options: {}, caller });
  const resolved = await resolving.catch((error: unknown) => {
    throw inOwnWords(error);
  });
  return launchFrom(resolved, {
    cwd,
    env,
    script: stats?.isFile() || command !== null ? path : null,
    shown: [target, ...args],
  });
}

/** What stead start calls otherwise. */
const withOwnOptions = (text: string): string =>
  text.replace(/--interpreter\b(.*)/s, '-x$1, or for all such files by execMap in nodemon.json');

function inOwnWords(error: unknown): unknown {
  if (!(error instanceof SteadError) || error.hint === undefined) return error;
  return SteadError.fromBody({ ...error.toBody(), hint: withOwnOptions(error.hint) });
}

interface From extends Place {
  readonly script: string | null;
  readonly shown: readonly string[];
}

async function launchFrom({ program, notes }: Resolved, { cwd, env, script, shown }: From): Promise<Launch> {
  const { interpreter, words } = program;
  const [first, ...others] = words;
  const file = interpreter?.path ?? (await pathOf(first!, { cwd, env }));
  const typed = program.how === 'script' ? shown : words;
  const front = interpreter === null ? [] : [interpreter.name, ...interpreter.args];
  return {
    file,
    argv: interpreter === null ? others : [...interpreter.args, ...words],
    env,
    cwd,
    shown: [...front, ...typed].map(shellWord).join(' '),
    script,
    isShell: program.how === 'shell',
    notes: notes.map(withOwnOptions),
  };
}

async function pathOf(word: string, { cwd, env }: Place): Promise<string> {
  const found = await findCommand(word, { path: env.PATH, cwd });
  return found.how === 'found' ? found.path : word;
}

/** nodemon gives node what has no extension, as `bin/www` has none; a `#!` line of something else counts for more. */
function isForNode(path: string): boolean {
  if (extname(path) !== '') return false;
  const head = Buffer.alloc(128);
  try {
    const fd = openSync(path, 'r');
    try {
      readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
  if (head.subarray(0, 4).equals(Buffer.from('\x7fELF'))) return false;
  const [line = ''] = head.toString('latin1').split('\n', 1);
  return !line.startsWith('#!') || /\bnode\b/.test(line);
}

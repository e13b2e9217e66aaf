/**
 * From what a user typed to what is executed: DESIGN's rules for `start X`, `start -- command` and `run`. Everything is looked up
 * with the caller's directory, PATH and environment, never the daemon's; what can't be executed is refused here, before anything is kept.
 */
import { stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { escapeControls } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import type { Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, Program, SpecOptions } from '../protocol/spec.ts';
import { wordThatNamesInShell } from './command-words.ts';
import { checkSizes, mergeEnvironment } from './environment.ts';
import { fileFacts, whyNotRunnable } from './executable.ts';
import { findCommand, fsPath } from './find.ts';
import { chooseInterpreter } from './interpreter.ts';
import { checkName, nameOfCommand, nameOfScript, passingName } from './names.ts';
import { commandMissing, directoryAsScript, scriptMissing } from './not-found.ts';
import { type Surroundings, variable } from './probe.ts';
import { behindShim, isShim } from './shims.ts';

/** What is needed of who asks. */
export type Asker = Pick<Caller, 'cwd' | 'env' | 'limits'>;

export interface Resolved {
  readonly program: Program;
  /** Absolute, and there. */
  readonly cwd: string;
  /** The caller's environment with the options' entries over it. */
  readonly env: readonly string[];
  /** `--name`, checked, or the default name; for `run` and `open` the daemon counts on with `countOn`. */
  readonly name: string;
  /** Whether the name was given. */
  readonly isNamed: boolean;
  /** What was decided for the user, one sentence each. */
  readonly notes: readonly string[];
}

export interface TargetRequest {
  /** A file, a command in PATH, or one word with spaces for the shell. */
  readonly target: string;
  /** Its arguments: what came after `--`. */
  readonly rest: readonly string[];
  readonly options: SpecOptions;
  readonly caller: Asker;
}

export interface CommandRequest {
  /** A command line as the program shall see it. */
  readonly command: readonly string[];
  readonly options: SpecOptions;
  readonly caller: Asker;
}

/**
 * Whether a target that is also the name of an app means the app: `app`, or `program` if it must be resolved. Throws TARGET_AMBIGUOUS
 * if a file of that name is not the app's script.
 */
export async function meaningOf(
  target: string,
  { known, cwd }: { known: AppSpec | undefined; cwd: string },
): Promise<'app' | 'program'> {
  if (known === undefined || target.includes('/')) return 'program';
  const file = join(cwd, target);
  const kind = await kindOfFile(file);
  if (kind !== 'file') return 'app';
  if (known.program.how === 'script' && (await isSameFile(file, known.program.words[0] ?? ''))) return 'app';
  throw new SteadError(
    'TARGET_AMBIGUOUS',
    `"${escapeControls(target)}" is an app and also a file here, and that file is not the app's script`,
    {
      hint: `stead restart ${target} for the app; stead start ./${target} --name <other> for the file`,
    },
  );
}

/** What `start X [-- args]` means. Throws the error that names what is missing or wrong. */
export async function resolveTarget(request: TargetRequest): Promise<Resolved> {
  const { target, rest, caller } = request;
  const context = await contextOf(request);
  const file = await scriptPath(target, caller.cwd);
  const kind = await kindOfFile(file);
  if (kind === 'file' || (kind === 'directory' && target.includes('/'))) return script(file, kind, request, context);
  if (/\s/.test(target) && !looksLikePath(target)) return shellLine(target, request, context);
  if (target.includes('/')) throw await scriptMissing(target, file);
  return command([target, ...rest], request, context, kind === 'directory' ? file : undefined);
}

/** What `start -- command…` and `run command…` mean. Throws the error that names what is missing or wrong. */
export async function resolveCommand(request: CommandRequest): Promise<Resolved> {
  const context = await contextOf(request);
  if (request.command.length === 0)
    throw new SteadError('USAGE', 'There is no command to run', { hint: 'stead run -- <command>' });
  const [only, ...others] = request.command as [string, ...string[]];
  // As a shell would not find a command with spaces in its name either, one such word can only mean a command line.
  if (others.length === 0 && /\s/.test(only) && (await kindOfFile(resolve(context.cwd, only))) === null) {
    if (!looksLikePath(only))
      return shellLine(only, { options: request.options, caller: request.caller, rest: [] }, context);
  }
  return command(request.command, request, context);
}

type Context = Surroundings;

async function contextOf({ options, caller }: { options: SpecOptions; caller: Asker }): Promise<Context> {
  if (options.name !== undefined) checkName(options.name);
  const env = mergeEnvironment(caller.env, options.env);
  const cwd = await checkedCwd(options.cwd === undefined ? caller.cwd : resolve(caller.cwd, options.cwd));
  return { cwd, env, path: variable(env, 'PATH') };
}

/** Returns a directory that is there and can be entered; throws CWD_MISSING with the reason. */
export async function checkedCwd(path: string): Promise<string> {
  const why = await stat(fsPath(join(path, '.'))).then(
    (stats) => (stats.isDirectory() ? null : 'is no directory'),
    (error) => whyNoDirectory(errnoOf(error)),
  );
  if (why === null) return path;
  throw new SteadError('CWD_MISSING', `The working directory "${escapeControls(path)}" ${why}`, {
    hint: 'make it, or choose another with --cwd',
  });
}

const whyNoDirectory = (errno: string) =>
  errno === 'ENOTDIR' ? 'is no directory' : errno === 'EACCES' ? 'may not be entered' : 'does not exist';

/** Absolute, links unresolved. `a/../b` is only shortened where that leads to the same file (`a` may be a link). */
async function scriptPath(target: string, cwd: string): Promise<string> {
  const short = resolve(cwd, target);
  if (!/(^|\/)\.\.(\/|$)/.test(target)) return short;
  const long = isAbsolute(target) ? target : `${cwd}/${target}`;
  return (await isSameFile(short, long)) || (await kindOfFile(long)) === null ? short : long;
}

async function kindOfFile(path: string): Promise<'file' | 'directory' | 'other' | null> {
  try {
    const stats = await stat(fsPath(path));
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  } catch {
    return null;
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => stat(fsPath(path)).catch(() => null)));
  return one != null && other != null && one.dev === other.dev && one.ino === other.ino;
}

/** `./my prog.js`: a path with a space in it rather than a command line, whose first word would be there. */
const looksLikePath = (target: string) =>
  /^\.{0,2}\//.test(target) && /\.[A-Za-z]{1,4}$/.test(target) && !/\s-|["'|&;<>$]/.test(target);

async function script(
  file: string,
  kind: 'file' | 'directory',
  request: TargetRequest,
  context: Context,
): Promise<Resolved> {
  if (kind === 'directory') throw await directoryAsScript(file);
  const facts = await fileFacts(file);
  const { interpreter, notes } = await chooseInterpreter({ path: file, facts }, request.options, context);
  const program: Program = { how: 'script', words: [file, ...request.rest], interpreter };
  return finish(program, { request, context, notes, defaultName: () => nameOfScript(file) });
}

async function shellLine(line: string, request: Omit<TargetRequest, 'target'>, context: Context): Promise<Resolved> {
  // After the line, sh takes the first word as $0.
  const words = request.rest.length === 0 ? [line] : [line, 'sh', ...request.rest];
  const program: Program = { how: 'shell', words, interpreter: { name: 'sh', path: '/bin/sh', args: ['-c'] } };
  const notes = [`"${escapeControls(line).slice(0, 200)}" is run by sh -c`];
  return finish(program, { request, context, notes, defaultName: async () => passingName(wordThatNamesInShell(line)) });
}

async function command(
  words: readonly string[],
  request: { options: SpecOptions; caller: Asker },
  context: Context,
  directory?: string,
): Promise<Resolved> {
  const [word, ...args] = words as [string, ...string[]];
  const found = await findCommand(word, context);
  if (found.how === 'missing')
    throw directory === undefined ? await commandMissing(word, context) : await directoryAsScript(directory);
  const refusal =
    found.how === 'refused' ? { why: found.why, hint: undefined } : await whyNotRunnable(found.path, context);
  if (refusal !== null) {
    const code =
      'interpreter' in refusal && refusal.interpreter !== undefined ? 'INTERPRETER_NOT_FOUND' : 'NOT_EXECUTABLE';
    const what = `Cannot run "${escapeControls(word)}": ${word === found.path ? '' : `${escapeControls(found.path)}: `}${refusal.why}`;
    throw new SteadError(code, what, refusal.hint === undefined ? {} : { hint: refusal.hint });
  }
  const behind = isShim(found.path) ? await behindShim(found.path, basename(word), context) : found.path;
  const program: Program =
    behind === found.path
      ? { how: 'command', words, interpreter: null }
      : { how: 'command', words: args, interpreter: { name: basename(word), path: behind, args: [] } };
  const notes = behind === found.path ? [] : [`${escapeControls(word)} is ${escapeControls(behind)}`];
  return finish(program, { request, context, notes, defaultName: () => nameOfCommand(words, context.cwd) });
}

interface Rest {
  readonly request: { readonly options: SpecOptions; readonly caller: Asker };
  readonly context: Context;
  readonly notes: readonly string[];
  defaultName(): Promise<string>;
}

async function finish(program: Program, { request, context, notes, defaultName }: Rest): Promise<Resolved> {
  const { interpreter, words } = program;
  const argv = interpreter === null ? words : [interpreter.path, ...interpreter.args, ...words];
  checkSizes({ argv, env: context.env, stackLimit: request.caller.limits.stack?.[0] });
  const { name } = request.options;
  return {
    program,
    cwd: context.cwd,
    env: context.env,
    name: name ?? (await defaultName()),
    isNamed: name !== undefined,
    notes,
  };
}

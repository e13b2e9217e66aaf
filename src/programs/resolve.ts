/**
 * From what a user typed to what is executed: the rules for `start X`, `start -- command` and `run`. Everything is looked up
 * with the caller's directory, PATH and environment, never the daemon's; what can't be executed is refused here, before anything is kept.
 */
import { basename, join, resolve } from 'node:path';
import { escapeControls } from '../host/bytes.ts';
import type { Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, Program, SpecOptions } from '../protocol/spec.ts';
import { wordThatNamesInShell } from './command-words.ts';
import { checkSizes, mergeEnvironment } from './environment.ts';
import { fileFacts, type Refusal, whyNotRunnable } from './executable.ts';
import { findCommand } from './find.ts';
import { chooseInterpreter } from './interpreter.ts';
import { checkName, nameOfCommand, nameOfScript, passingName } from './names.ts';
import { commandMissing, directoryAsScript, scriptMissing } from './not-found.ts';
import { checkedCwd, isPath, isSameFile, kindOfFile, looksLikePath, scriptPath } from './paths.ts';
import { type Surroundings, variable } from './probe.ts';
import { quote } from './quote.ts';
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
    `${quote(target)} is an app and also a file here, and that file is not the app's script`,
    {
      hint: `stead restart ${target} for the app; stead start ./${target} --name <other> for the file`,
    },
  );
}

/** What `start X [-- args]` means. Throws the error that names what is missing or wrong. */
export async function resolveTarget(request: TargetRequest): Promise<Resolved> {
  const { target, rest, caller } = request;
  if (target === '')
    throw new SteadError('USAGE', 'The program to start is an empty word', { hint: 'stead help start' });
  const context = await contextOf(request);
  const file = await scriptPath(target, caller.cwd);
  const kind = await kindOfFile(file);
  if (kind === 'file' || (kind === 'directory' && isPath(target))) return script(file, kind, request, context);
  if (/\s/.test(target) && !looksLikePath(target)) return shellLine(target, request, context);
  if (isPath(target) || kind === 'other') throw await scriptMissing(target, file);
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
  const notes = [`${quote(line)} is run by sh -c`];
  return finish(program, { request, context, notes, defaultName: async () => passingName(wordThatNamesInShell(line)) });
}

async function command(
  words: readonly string[],
  request: { options: SpecOptions; caller: Asker },
  context: Context,
  directory?: string,
): Promise<Resolved> {
  const word = words[0]!;
  const found = await findCommand(word, context);
  if (found.how !== 'found' && directory !== undefined) throw await directoryAsScript(directory);
  if (found.how === 'missing') throw await commandMissing(word, context);
  const refusal = found.how === 'refused' ? { why: found.why } : await whyNotRunnable(found.path, context);
  if (refusal !== null) throw notRunnable(word, found.path, refusal);
  const defaultName = () => nameOfCommand(words, context.cwd);
  const behind = isShim(found.path) ? await behindShim(found.path, basename(word), context) : found.path;
  if (behind === found.path) {
    return finish({ how: 'command', words, interpreter: null }, { request, context, notes: [], defaultName });
  }
  const interpreter = { name: basename(word), path: behind, args: [] };
  const notes = [`${escapeControls(word)} is ${escapeControls(behind)}`];
  return finish({ how: 'command', words: words.slice(1), interpreter }, { request, context, notes, defaultName });
}

function notRunnable(word: string, path: string, { why, hint, interpreter }: Refusal): SteadError {
  const code = interpreter === undefined ? 'NOT_EXECUTABLE' : 'INTERPRETER_NOT_FOUND';
  const where = word === path ? '' : `${escapeControls(path)}: `;
  return new SteadError(code, `Cannot start ${quote(word)}: ${where}${why}`, hint === undefined ? {} : { hint });
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

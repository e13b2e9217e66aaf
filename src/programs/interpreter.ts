/** What runs a script: the user's choice, its `#!` line, or its extension. */
import { basename, extname, resolve } from 'node:path';
import { escapeControls } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Program, SpecOptions } from '../protocol/spec.ts';
import type { Chosen, Interpreter } from './choice.ts';
import { type FileFacts, type Shebang, shebangProgram, whyNotRunnable } from './executable.ts';
import { findCommand, whyNotExecutable } from './find.ts';
import { nodeVersionNote } from './node-version.ts';
import type { Surroundings } from './probe.ts';
import { quote, shellWord } from './quote.ts';
import { behindShim } from './shims.ts';
import { typescriptRunner } from './typescript.ts';

const javascript = ['.js', '.cjs', '.mjs'];
const typescript = ['.ts', '.mts', '.cts', '.tsx'];

/** Interpreters by extension, the first that is found. */
const byExtension: Readonly<Record<string, { readonly names: readonly string[]; readonly args?: readonly string[] }>> =
  {
    ...Object.fromEntries(javascript.map((extension) => [extension, { names: ['node', 'nodejs'] }])),
    '.py': { names: ['python3', 'python'] },
    '.rb': { names: ['ruby'] },
    '.php': { names: ['php'] },
    '.pl': { names: ['perl'] },
    '.lua': { names: ['lua'] },
    '.r': { names: ['Rscript'] },
    '.sh': { names: ['sh'] },
    '.bash': { names: ['bash'] },
    '.jar': { names: ['java'], args: ['-jar'] },
  };

export interface Script {
  /** Absolute, links unresolved. */
  readonly path: string;
  readonly facts: FileFacts;
}

type Choice = Pick<SpecOptions, 'interpreter' | 'interpreterArgs'>;

/**
 * Chooses what runs a script. Throws INTERPRETER_NOT_FOUND if it isn't there, NOT_EXECUTABLE for a script that would have to be
 * executed itself and can't be.
 */
export async function chooseInterpreter(script: Script, choice: Choice, surroundings: Surroundings): Promise<Chosen> {
  const chosen = await choose(script, choice, surroundings);
  if (chosen.interpreter !== null && script.facts.kind === 'unreadable') {
    throw new SteadError('NOT_EXECUTABLE', `Cannot start ${quote(script.path)}: you may not read it`, {
      hint: `chmod u+r ${shellWord(script.path)}`,
    });
  }
  const { interpreterArgs = [] } = choice;
  if (chosen.interpreter === null || interpreterArgs.length === 0) return chosen;
  return {
    ...chosen,
    interpreter: { ...chosen.interpreter, args: withArgs(chosen.interpreter.args, interpreterArgs) },
  };
}

/** The user's come after a subcommand (`bun run`), before what belongs to the script (`java -jar`); they say alone what deno allows. */
function withArgs(chosen: readonly string[], given: readonly string[]): string[] {
  const kept = chosen.filter((arg) => arg !== '--allow-all');
  const subcommands = kept[0] === 'run' ? 1 : 0;
  return [...kept.slice(0, subcommands), ...given, ...kept.slice(subcommands)];
}

async function choose(script: Script, { interpreter }: Choice, surroundings: Surroundings): Promise<Chosen> {
  if (interpreter === 'none') return executedItself(script, surroundings);
  if (interpreter !== undefined) return named(script, interpreter, surroundings);
  const { facts, path } = script;
  const extension = extname(path).toLowerCase();
  const isNodeScript = javascript.includes(extension) || typescript.includes(extension);
  if (facts.isExecutable && facts.kind === 'elf') return executedItself(script, surroundings);
  if (facts.kind === 'shebang' && !(isNodeScript && isPlainNode(facts.shebang))) {
    if (facts.isExecutable) return executedItself(script, surroundings);
    if (!isNodeScript && Object.hasOwn(byExtension, extension)) return byShebang(script, facts.shebang, surroundings);
  }
  if (typescript.includes(extension)) return typescriptRunner(path, surroundings);
  if (Object.hasOwn(byExtension, extension)) return listed(script, byExtension[extension]!, surroundings);
  return executedItself(script, surroundings);
}

/** `#!/usr/bin/env node`: says no more than the extension does, and is looked up in the same way. */
const isPlainNode = (shebang: Shebang) => {
  const { word, args, isEnv } = shebangProgram(shebang);
  return isEnv && word === 'node' && args.length === 0;
};

async function executedItself({ path }: Script, surroundings: Surroundings): Promise<Chosen> {
  const refusal = await whyNotRunnable(path, surroundings);
  if (refusal === null) return { interpreter: null, notes: [] };
  const code = refusal.interpreter === undefined ? 'NOT_EXECUTABLE' : 'INTERPRETER_NOT_FOUND';
  throw new SteadError(code, `Cannot start ${quote(path)}: ${refusal.why}`, {
    hint:
      refusal.hint ??
      (refusal.interpreter === undefined ? '--interpreter <program>' : installHint(refusal.interpreter)),
  });
}

async function named(script: Script, word: string, surroundings: Surroundings): Promise<Chosen> {
  return present(script, await find([word], [], surroundings), { names: [word] });
}

async function listed(
  script: Script,
  { names, args = [] }: { readonly names: readonly string[]; readonly args?: readonly string[] },
  surroundings: Surroundings,
): Promise<Chosen> {
  const chosen = present(script, await find(names, args, surroundings), { names });
  if (chosen.interpreter?.name !== 'node') return chosen;
  const note = await nodeVersionNote(script.path, chosen.interpreter.path, surroundings);
  return note === null ? chosen : { ...chosen, notes: [...chosen.notes, note] };
}

async function byShebang(script: Script, shebang: Shebang, surroundings: Surroundings): Promise<Chosen> {
  const { word, args } = shebangProgram(shebang);
  return present(script, await find([word], args, surroundings), { names: [word] });
}

type Search = Interpreter | { readonly refused: string; readonly why: string } | null;

async function find(names: readonly string[], args: readonly string[], surroundings: Surroundings): Promise<Search> {
  let refused: Search = null;
  for (const name of names) {
    const found = await findCommand(name, surroundings);
    if (found.how === 'found') {
      const path = await behindShim(found.path, basename(name), surroundings);
      return { name: basename(name), path, args };
    }
    if (found.how === 'refused') refused ??= { refused: found.path, why: found.why };
  }
  return refused;
}

function present({ path }: Script, search: Search, { names }: { names: readonly string[] }): Chosen {
  if (search !== null && 'name' in search) return { interpreter: search, notes: [] };
  const asked = names.map(quote).join(' or ');
  const where = names[0]!.includes('/') ? 'does not exist' : 'is not in your PATH';
  const why = search === null ? `${asked} ${where}` : `${quote(search.refused)} cannot be executed: ${search.why}`;
  throw new SteadError('INTERPRETER_NOT_FOUND', `Cannot start ${quote(path)}: its interpreter ${why}`, {
    hint: installHint(names[0]!),
  });
}

const installHint = (word: string) =>
  `install ${escapeControls(basename(word))}, or name another with --interpreter <program>`;

/**
 * The program with its interpreter looked up anew if its file is gone (a version manager removed it): null if it can't be found, the
 * same object if nothing changed.
 */
export async function relookup(program: Program, surroundings: Surroundings): Promise<Program | null> {
  const { interpreter } = program;
  if (interpreter === null || (await whyNotExecutable(interpreter.path)) === null) return program;
  const found = await find([interpreter.name], interpreter.args, surroundings);
  if (found === null || !('name' in found)) return null;
  return { ...program, interpreter: { ...found, path: resolve(found.path) } };
}

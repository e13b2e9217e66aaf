import { closeSync, openSync, readSync } from 'node:fs';
import { basename, delimiter, resolve } from 'node:path';
import { parseShebang, shebangProgram } from '../../programs/executable.ts';
import type { AppSpec } from '../../protocol/spec.ts';

export type Executed = Pick<AppSpec, 'program' | 'env' | 'cwd'>;

const nodes = /^(?:node|nodejs)$/;

/** Whether the process that a launcher starts is Node itself, which loads what NODE_OPTIONS names: not `npm start`, which starts another one for the program. */
export function isNodeProgram(spec: Executed): boolean {
  return nodes.test(basename(executedBy(spec)));
}

/** What is executed in the end: the interpreter, that of the `#!` line, or the command itself. Paths are relative to where it will run. */
export function executedBy({ program: { how, interpreter, words }, env, cwd }: Executed): string {
  const word = words[0] ?? '';
  if (interpreter !== null) return interpreter.name;
  if (how === 'shell') return 'sh';
  const file = how === 'script' || word.includes('/') ? resolve(cwd, word) : findInPath(word, { env, cwd });
  return (file === null ? null : shebangOf(file)) ?? word;
}

function shebangOf(file: string): string | null {
  try {
    const shebang = parseShebang(headOf(file));
    return shebang === null ? null : shebangProgram(shebang).word;
  } catch {
    // It can't be read, but perhaps executed.
    return null;
  }
}

function findInPath(word: string, { env, cwd }: Pick<Executed, 'env' | 'cwd'>): string | null {
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  for (const directory of path.split(delimiter)) {
    try {
      const file = resolve(cwd, directory, word);
      closeSync(openSync(file, 'r'));
      return file;
    } catch {
      // Not there.
    }
  }
  return null;
}

function headOf(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(256);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

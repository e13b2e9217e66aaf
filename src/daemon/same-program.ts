import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { decodeBytes } from '../host/bytes.ts';
import type { Instance } from './instance.ts';

/** Forked from the program, not executed by it: the same file, or for a script the same command line. */
export function isSameProgram(instance: Instance, pid: number): boolean {
  const executable = executableOf(pid);
  if (executable !== null && [instance.executable, resolvedExecutable(instance)].includes(executable)) return true;
  const { how, words } = instance.app.spec.program;
  return how === 'script' && commandLine(pid).includes(words[0]!);
}

/** For a program that was gone before anybody looked. */
function resolvedExecutable({ app }: Instance): string | null {
  const { program, env, cwd } = app.spec;
  const word = program.interpreter?.path ?? program.words[0]!;
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const places = word.includes('/')
    ? [resolve(cwd, word)]
    : path.split(delimiter).map((directory) => join(directory, word));
  for (const place of places) {
    try {
      return realpathSync(place);
    } catch {
      // Not there.
    }
  }
  return null;
}

/** The file that a process executes; null if it is gone or another user's. */
export function executableOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

function commandLine(pid: number): string[] {
  try {
    return decodeBytes(readFileSync(`/proc/${pid}/cmdline`)).split('\0');
  } catch {
    return [];
  }
}

/** Ecosystem files of pm2: what is in them is told apart from our own files, and read as ours. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Source, valueSource } from '../../config/file/document.ts';
import type { Foreign } from '../../foreign/model.ts';
import { isEcosystem, isNamedSo } from '../../foreign/pm2/is-ecosystem.ts';
import { readEcosystem } from '../../foreign/pm2/read-ecosystem.ts';
import { parseEcosystemText } from '../../foreign/pm2/read-text.ts';
import type { EcosystemContext, FileKind } from '../../foreign/pm2/reading.ts';

export interface EcosystemOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly profile?: string | null;
  /** Names of apps as the file has them; all if it is empty. */
  readonly only?: readonly string[];
}

/** The value of an ecosystem file that is a text; null: it is none, and is ours to read. Throws CONFIG_INVALID for a mistake in one. */
export function ecosystemText(text: string, file: string): { readonly value: unknown } | null {
  const isNamed = isNamedSo(basename(file).toLowerCase());
  try {
    const value = parseEcosystemText(text, file);
    return isEcosystem(value, file) ? { value } : null;
  } catch (error) {
    // What can't be read as theirs may still be ours, and else is told as ours.
    if (isNamed) throw error;
    return null;
  }
}

export function foreignOf(value: unknown, file: string, options: EcosystemOptions): Foreign {
  const { cwd, env, profile = null, only = [] } = options;
  const context: EcosystemContext = {
    ...{ file, cwd, env, profile, lookAt },
    only: only.length === 0 ? null : only,
    find: (command) => findInPath(command, { cwd, path: env.PATH ?? '' }),
  };
  return readEcosystem(value, context);
}

/** As a config of ours, with what is to be said of it. */
export function sourceOfForeign({ apps, notes }: Foreign): {
  readonly source: Source;
  readonly notes: readonly string[];
} {
  return {
    source: valueSource({ apps: apps.map(({ stanza }) => stanza) }),
    notes: [
      ...notes,
      ...apps.flatMap(({ stanza, notes: own }) => own.map((note) => `${String(stanza.name)}: ${note}`)),
    ],
  };
}

export function lookAt(path: string): FileKind | null {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return 'directory';
    if (!stats.isFile()) return 'other';
    const kind = kindOf(firstBytes(path));
    return kind === 'script' && !isExecutable(path) ? 'text' : kind;
  } catch {
    return null;
  }
}

/** A program in machine code begins with ELF's four bytes; a NUL is in no text. */
function kindOf(bytes: Buffer): FileKind {
  if (bytes.subarray(0, 4).equals(Buffer.from('\x7fELF')) || bytes.includes(0)) return 'binary';
  const [first = ''] = bytes.toString('latin1').split('\n', 1);
  return first.startsWith('#!') && !/\bnode(js)?\b/.test(first) ? 'script' : 'text';
}

/** What may not be read may still be executed. */
function firstBytes(path: string): Buffer {
  const buffer = Buffer.alloc(512);
  try {
    const fd = openSync(path, 'r');
    try {
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.from([0]);
  }
}

export function findInPath(
  command: string,
  { cwd, path }: { readonly cwd: string; readonly path: string },
): string | null {
  const candidates = path.split(':').map((folder) => join(resolve(cwd, folder), command));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

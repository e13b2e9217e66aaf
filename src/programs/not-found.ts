/** Errors for what isn't there or is no program, with the nearest thing that is. */
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { nearest } from '../config/nearest.ts';
import { errnoOf } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Lookup } from './executable.ts';
import { fsPath } from './find.ts';
import { exists, readPackage } from './project.ts';
import { quote, shellWord } from './quote.ts';

/** The error for a path that leads to no regular file: PROGRAM_NOT_FOUND, or NOT_EXECUTABLE where permissions hide it. */
export async function scriptMissing(target: string, path: string): Promise<SteadError> {
  const why = await whyNoFile(path);
  if (why !== null) return why.isDenied ? denied(target, why.text) : missing(target, why.text, 'check the path');
  const folder = dirname(path);
  if (!(await exists(folder)))
    return missing(target, `the directory ${quote(folder)} does not exist`, 'check the path');
  const near = await nearFile(folder, basename(path));
  const meant = near === undefined ? undefined : shellWord(join(dirname(target), near));
  return missing(target, 'there is no such file', meant === undefined ? 'check the path' : `did you mean ${meant}?`);
}

/** Null if there is simply nothing. */
async function whyNoFile(path: string): Promise<{ text: string; isDenied: boolean } | null> {
  try {
    await stat(fsPath(path));
    return { text: 'it is no regular file', isDenied: false };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EACCES') return { text: 'a directory of its path may not be searched', isDenied: true };
    if (errno === 'ELOOP') return { text: 'its symbolic links lead in a circle', isDenied: false };
    if (errno === 'ENAMETOOLONG') return { text: 'the path is longer than the system allows', isDenied: false };
  }
  const link = await lstat(fsPath(path)).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!link) return null;
  const to = await readlink(fsPath(path)).catch(() => '');
  return { text: `it is a symbolic link to ${quote(to)}, which does not exist`, isDenied: false };
}

/** Words of a shell that are no programs. */
const builtins = new Set([
  'cd',
  'source',
  '.',
  'export',
  'alias',
  'ulimit',
  'umask',
  'exec',
  'eval',
  'set',
  'trap',
  'wait',
  'type',
  'function',
]);

/** PROGRAM_NOT_FOUND for a word that is neither a file nor a command. */
export async function commandMissing(word: string, { cwd, path }: Lookup): Promise<SteadError> {
  if (word.includes('/')) return scriptMissing(word, resolve(cwd, word));
  if (builtins.has(word)) return missing(word, 'it is a word of the shell, no program', `sh -c '${word} …'`);
  const near = await nearFile(cwd, word);
  const inPath = path === undefined ? 'and PATH is not set' : 'and no such command in your PATH';
  const why = `there is no app of that name, no such file in ${quote(cwd)} ${inPath}`;
  return missing(
    word,
    why,
    near === undefined ? 'check the spelling, or give the path' : `did you mean ${shellWord(near)}?`,
  );
}

const usualScripts = ['index.js', 'server.js', 'app.js', 'main.js', 'index.ts', 'main.py', '__main__.py'];

/** PROGRAM_NOT_FOUND for a directory, with the file in it that was probably meant. */
export async function directoryAsScript(folder: string): Promise<SteadError> {
  const content = await readPackage(folder);
  const why = 'it is a directory';
  for (const candidate of [content?.main, ...usualScripts]) {
    if (typeof candidate !== 'string' || !(await exists(join(folder, candidate)))) continue;
    return missing(folder, why, `stead start ${shellWord(join(folder, candidate))}`);
  }
  const scripts = content?.scripts as Record<string, unknown> | undefined;
  const hasStart = typeof scripts?.start === 'string';
  return missing(folder, why, hasStart ? `stead start --cwd ${shellWord(folder)} -- npm start` : 'name the file in it');
}

function missing(what: string, why: string, hint: string): SteadError {
  return new SteadError('PROGRAM_NOT_FOUND', `Cannot start ${quote(what)}: ${why}`, { hint });
}

function denied(what: string, why: string): SteadError {
  return new SteadError('NOT_EXECUTABLE', `Cannot start ${quote(what)}: ${why}`, {
    hint: `namei -l ${shellWord(what)}`,
  });
}

/** More names than a person has beside a script; keeps a look into a huge directory short. */
const mostNames = 2000;

/** The entry of a folder that was probably meant: the name with an extension, or one nearly spelled so. */
async function nearFile(folder: string, name: string): Promise<string | undefined> {
  const names = (await readdir(fsPath(folder), 'utf8').catch(() => [])).slice(0, mostNames);
  const isScript = (candidate: string) => !/~$|\.(bak|log|md|json|map|txt)$/.test(candidate);
  const extended = names.filter((candidate) => candidate.startsWith(`${name}.`) && isScript(candidate));
  return name === '' ? undefined : (extended[0] ?? nearest(name, names));
}

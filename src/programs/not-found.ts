/** Errors for what isn't there, with the nearest thing that is. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../config/nearest.ts';
import { escapeControls } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Lookup } from './executable.ts';
import { exists, readPackage } from './project.ts';

/** PROGRAM_NOT_FOUND for a path that leads nowhere. */
export async function scriptMissing(target: string, path: string): Promise<SteadError> {
  const folder = dirname(path);
  if (!(await exists(folder))) {
    return missing(
      `"${escapeControls(target)}"`,
      `the directory "${escapeControls(folder)}" does not exist`,
      undefined,
    );
  }
  const near = await nearFile(folder, basename(path));
  return missing(
    `"${escapeControls(target)}"`,
    `there is no such file`,
    near === undefined ? 'check the path' : `did you mean ${escapeControls(join(dirname(target), near))}?`,
  );
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
  const quoted = `"${escapeControls(word)}"`;
  if (word.includes('/')) return scriptMissing(word, join(word.startsWith('/') ? '/' : cwd, word));
  if (builtins.has(word)) return missing(quoted, 'it is a word of the shell, no program', `sh -c '${word} …'`);
  const near = await nearFile(cwd, word);
  const why = `there is no such file in "${escapeControls(cwd)}", no app of that name and no such command in your PATH`;
  const noPath = path === undefined ? ' (PATH is not set)' : '';
  const hint = near === undefined ? 'check the spelling, or give the path' : `did you mean ${escapeControls(near)}?`;
  return missing(quoted, why + noPath, hint);
}

/** PROGRAM_NOT_FOUND for a directory, with the file in it that was probably meant. */
export async function directoryAsScript(folder: string): Promise<SteadError> {
  const content = await readPackage(folder);
  const candidates = [
    content?.main,
    'index.js',
    'server.js',
    'app.js',
    'main.js',
    'index.ts',
    'main.py',
    '__main__.py',
  ];
  for (const candidate of candidates) {
    if (typeof candidate !== 'string' || !(await exists(join(folder, candidate)))) continue;
    return missing(
      `"${escapeControls(folder)}"`,
      'it is a directory',
      `stead start ${escapeControls(join(folder, candidate))}`,
    );
  }
  const scripts = content?.scripts as Record<string, unknown> | undefined;
  const hint =
    typeof scripts?.start === 'string'
      ? `stead start --cwd ${escapeControls(folder)} -- npm start`
      : 'name the file in it';
  return missing(`"${escapeControls(folder)}"`, 'it is a directory', hint);
}

function missing(quoted: string, why: string, hint: string | undefined): SteadError {
  return new SteadError('PROGRAM_NOT_FOUND', `Cannot start ${quoted}: ${why}`, hint === undefined ? {} : { hint });
}

/** More names than a person has beside a script; keeps a look into a huge directory short. */
const mostNames = 2000;

/** The entry of a folder that was probably meant: the name with an extension, or one nearly spelled so. */
async function nearFile(folder: string, name: string): Promise<string | undefined> {
  const names = (await readdir(folder).catch(() => [])).slice(0, mostNames);
  const extended = names.filter(
    (candidate) => candidate.startsWith(`${name}.`) && !/~$|\.(bak|log|md|json|map)$/.test(candidate),
  );
  return extended[0] ?? nearest(name, names);
}

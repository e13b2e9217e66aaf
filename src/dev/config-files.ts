/** Which files nodemon takes its settings from. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoOf } from '../host/files.ts';
import { SteadError } from '../protocol/errors.ts';
import { type NodemonConfig, readConfig } from './nodemon-config.ts';

export interface ConfigFiles {
  /** The first goes before the others. */
  readonly configs: readonly NodemonConfig[];
  /** Absolute. */
  readonly files: readonly string[];
}

export interface ConfigPlaces {
  readonly cwd: string;
  readonly homeDirectory: string | undefined;
  /** In place of the one in `cwd`. */
  readonly named: string | undefined;
}

/**
 * `nodemon.json` here (only without one `nodemonConfig` in package.json), then the one in the home directory. Throws CONFIG_NOT_FOUND for a named one that is not
 * there, CONFIG_INVALID for one that makes no sense.
 */
export function readConfigFiles({ cwd, homeDirectory, named }: ConfigPlaces): ConfigFiles {
  const found = [
    localConfig(cwd, named),
    homeDirectory === undefined ? null : configAt(join(homeDirectory, 'nodemon.json')),
  ];
  const read = found
    .filter((one) => one !== null)
    .filter((one, at, all) => all.findIndex(({ file }) => file === one.file) === at);
  return { configs: read.map(({ config }) => config), files: read.map(({ file }) => file) };
}

interface Read {
  readonly file: string;
  readonly config: NodemonConfig;
}

function localConfig(cwd: string, named: string | undefined): Read | null {
  if (named === undefined) return configAt(join(cwd, 'nodemon.json')) ?? packageConfig(join(cwd, 'package.json'));
  const file = resolve(cwd, named);
  const read = configAt(file);
  if (read === null) throw new SteadError('CONFIG_NOT_FOUND', `There is no file ${file}`);
  return read;
}

function configAt(file: string): Read | null {
  const content = contentOf(file);
  return content === undefined ? null : { file, config: readConfig(content, file) };
}

function packageConfig(file: string): Read | null {
  let content: unknown;
  try {
    content = contentOf(file);
  } catch {
    // It is no file of ours: whoever needs it will say so.
    return null;
  }
  const config = (content as { nodemonConfig?: unknown } | null | undefined)?.nodemonConfig;
  return config === undefined ? null : { file, config: readConfig(config, `${file}, nodemonConfig`) };
}

/** Undefined if it isn't there. */
function contentOf(file: string): unknown {
  const text = textOf(file);
  if (text === null) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new SteadError('CONFIG_INVALID', `${file} is no JSON: ${(error as Error).message}`);
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return null;
    throw new SteadError('CONFIG_INVALID', `${file} cannot be read: ${(error as Error).message}`);
  }
}

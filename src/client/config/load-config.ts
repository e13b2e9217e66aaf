/** Config files by their names → the apps that they say. */
import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseConfigText, type Source, valueSource } from '../../config/file/document.ts';
import { mergeConfigs } from '../../config/file/merge-configs.ts';
import { readSource } from '../../config/file/read-config.ts';
import { nearest } from '../../config/nearest.ts';
import { isEcosystem, isNamedSo } from '../../foreign/pm2/is-ecosystem.ts';
import type { ConfigApp } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { ecosystemText, foreignOf, sourceOfForeign } from './ecosystem.ts';
import { evaluateConfig, isCode } from './evaluate-config.ts';
import { checkTrust } from './trust.ts';

/** Looked for in this order. */
export const usualNames = ['yaml', 'yml', 'json', 'js', 'mjs', 'cjs', 'ts'].map((end) => `stead.config.${end}`);

const mostBytes = 4 * 1024 * 1024;

export interface LoadOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** `--env production` */
  readonly profile?: string | null;
  /** Names; all if it is empty. */
  readonly only?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface LoadedConfig {
  /** Absolute; of several the first: by it the apps are known as this project's. */
  readonly file: string;
  /** What is relative is so to this. */
  readonly directory: string;
  /** What comes before a name that another project has: `shop`. */
  readonly project: string;
  readonly apps: readonly ConfigApp[];
  readonly notes: readonly string[];
}

/** Of no files: the usual one in `cwd`. Throws CONFIG_NOT_FOUND and CONFIG_INVALID. */
export async function loadConfig(words: readonly string[], options: LoadOptions): Promise<LoadedConfig> {
  const files = words.length === 0 ? [usualConfig(options.cwd)] : words.map((word) => existing(word, options.cwd));
  const notes: string[] = [];
  const sources: Read[] = [];
  // Of several files any may have the apps that are asked for.
  const each = files.length === 1 ? options : { ...options, only: [] };
  for (const file of files) sources.push(await sourceOf(file, each, notes));
  const [file, shown] = [files[0]!, words.length > 0 ? words.join(', ') : basename(files[0]!)];
  const { source, isForeign } = sources.length === 1 ? sources[0]! : joined(sources, files);
  const { profile = null, only = [] } = options;
  const read = readSource(source, shown, { profile });
  // What is foreign is chosen by the names that it has there, and has taken the profile's part already.
  const apps = isForeign ? read : chosen(read, only, shown);
  if (profile !== null && !isForeign && !mentions(source.value, `env_${profile}`))
    notes.push(`No app of ${shown} has an env_${profile}.`);
  return { file, directory: dirname(file), project: projectOf(source.value, file), apps, notes };
}

interface Read {
  readonly source: Source;
  /** Of another tool: what `only` and `profile` choose of it is chosen. */
  readonly isForeign: boolean;
}

async function sourceOf(file: string, options: LoadOptions, notes: string[]): Promise<Read> {
  const { profile = null, env, signal } = options;
  const note = checkTrust(file, { isCode: isCode(file), env, euid: process.geteuid!() });
  if (note !== null) notes.push(note);
  const text = isCode(file) ? null : readText(file);
  const own =
    text === null ? { value: await evaluateConfig(file, { profile, env, signal }) } : ecosystemText(text, file);
  if (own !== null && (text !== null || isEcosystem(own.value, file))) {
    const foreign = sourceOfForeign(foreignOf(own.value, file, options));
    notes.push(...foreign.notes);
    return { source: foreign.source, isForeign: true };
  }
  return { source: own === null ? parseConfigText(text!, env) : valueSource(own.value), isForeign: false };
}

/** Mistakes of each with its name. */
function joined(sources: readonly Read[], files: readonly string[]): Read {
  const mistakes = sources.flatMap(({ source }, at) =>
    source.mistakes.map(({ line, text }) => ({ line, text: `${basename(files[at]!)}: ${text}` })),
  );
  const merged = valueSource(mergeConfigs(sources.map(({ source }) => source.value)));
  return { source: { ...merged, mistakes }, isForeign: false };
}

export function chosen(apps: readonly ConfigApp[], only: readonly string[], shown: string): readonly ConfigApp[] {
  const names = apps.flatMap(({ options }) => options.name ?? []);
  const missing = only.find((name) => !names.includes(name));
  if (missing !== undefined) {
    const near = nearest(missing, names);
    throw new SteadError('APP_NOT_FOUND', `${shown} has no app "${missing}"`, {
      hint: near === undefined ? `it has ${names.join(', ') || 'none with a name'}` : `did you mean ${near}?`,
    });
  }
  return only.length === 0 ? apps : apps.filter(({ options }) => only.includes(options.name ?? ''));
}

function mentions(value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name === key || mentions(inner, key));
}

export function projectOf(value: unknown, file: string): string {
  const said = (value as { readonly project?: unknown } | null)?.project;
  const text = typeof said === 'string' ? said : basename(dirname(file));
  return (
    text
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 32) || 'project'
  );
}

/** Where the config may be that a word names, or none: it may be gone. */
export const configPaths = (word: string | undefined, cwd: string): readonly string[] =>
  (word === undefined ? usualNames : [word]).map((name) => resolve(cwd, name));

function usualConfig(cwd: string): string {
  const found = usualNames.map((name) => resolve(cwd, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SteadError('CONFIG_NOT_FOUND', `There is no stead.config.yaml, .json, .js, .mjs, .cjs or .ts here`, {
    hint: 'stead apply <file>; stead help config shows what one looks like',
  });
}

function existing(word: string, cwd: string): string {
  const file = resolve(cwd, word);
  const stats = statsOf(file);
  if (stats === undefined)
    throw new SteadError('CONFIG_NOT_FOUND', `There is no file ${JSON.stringify(word)}`, {
      hint: 'stead apply <file>',
    });
  if (!stats.isFile()) throw new SteadError('CONFIG_INVALID', `${JSON.stringify(word)} is no file that can be read`);
  if (stats.size > mostBytes)
    throw new SteadError('CONFIG_INVALID', `${JSON.stringify(word)} has ${stats.size} bytes, more than ${mostBytes}`);
  return file;
}

function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw new SteadError('CONFIG_INVALID', `${JSON.stringify(file)} can't be read: ${(error as Error).message}`);
  }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SteadError('CONFIG_NOT_FOUND', `${JSON.stringify(path)} can't be read: ${(error as Error).message}`);
  }
}

/** A file by its name, whatever is in it: `x.config.yaml`, or any `.yaml`, `.yml` or `.json` that has `apps`. */
export function isConfigFile(word: string): boolean {
  if (/(?:^|[./])config\.[cm]?[jt]s$/.test(word)) return isFile(word);
  if (!/\.(ya?ml|json5?)$/.test(word) || !isFile(word)) return false;
  const name = basename(word).toLowerCase();
  if (/\.config\.(ya?ml|json)$/.test(name) || (isNamedSo(name) && name !== 'package.json')) return true;
  const text = readText(word);
  if (/^\s*\[\s*\{/.test(text) && /["']?(script|exec|cmd)["']?\s*:/.test(text)) return true;
  return /^\s*["']?(apps|pm2)["']?\s*:/m.test(text) || /[{,]\s*["']?(apps|pm2)["']?\s*:/.test(text);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

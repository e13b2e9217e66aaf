/** What `apply` and `start <config file>` share: a config file is read here, and applied by the daemon. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { act } from '../client/act.ts';
import { captureCaller } from '../client/caller.ts';
import { readConfig } from '../config/file/read-config.ts';
import { escapeControls } from '../host/bytes.ts';
import type { AppliedApp, ApplyResponse, AppView } from '../protocol/api.ts';
import { exitCodeOf, SteadError } from '../protocol/errors.ts';
import { sayError, withNearest } from './failure.ts';
import { print, printJson, say, withProgress } from './output.ts';
import { assertWritable } from './ownership.ts';
import { pidsInWords } from './render/instances.ts';

const usualNames = ['stead.config.yaml', 'stead.config.yml', 'stead.config.json'];

export interface ApplyOptions {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly isDryRun: boolean;
  readonly isAwaited: boolean;
}

/** Reads and applies it; the exit code. */
export async function applyConfig(home: string, { words, json, isDryRun, isAwaited }: ApplyOptions): Promise<number> {
  if (words.length > 1) throw new SteadError('USAGE', 'stead apply takes one config file at a time');
  const file = findConfig(words[0]);
  const apps = readConfig(readText(file), words[0] ?? basename(file));
  assertWritable(home);
  // What is relative in a file is so to the file.
  const caller = { ...captureCaller(), cwd: dirname(file) };
  const body = { file, apps, isDryRun, wait: isAwaited, caller };
  const answer = await withProgress(`Applying ${escapeControls(basename(file))} …`, act(home, 'apply', { body }));
  return tellApplied(answer, { json, isDryRun });
}

/** A file by its name, whatever is in it: `x.config.yaml`, or any `.yaml`, `.yml` or `.json` that has `apps`. */
export function isConfigFile(word: string): boolean {
  if (!/\.(ya?ml|json)$/.test(word) || !statSync(word, { throwIfNoEntry: false })?.isFile()) return false;
  return (
    /\.config\.(ya?ml|json)$/.test(word) ||
    /^\s*["']?apps["']?\s*:/m.test(readText(word)) ||
    /[{,]\s*"apps"\s*:/.test(readText(word))
  );
}

function findConfig(word: string | undefined): string {
  if (word !== undefined) {
    if (existsSync(word)) return resolve(word);
    throw new SteadError('CONFIG_NOT_FOUND', `There is no file ${JSON.stringify(word)}`, {
      hint: 'stead apply <file>',
    });
  }
  const found = usualNames.find((name) => existsSync(name));
  if (found !== undefined) return resolve(found);
  throw new SteadError('CONFIG_NOT_FOUND', `There is no ${usualNames.join(', ')} here`, {
    hint: 'stead apply <file>; stead help config shows what one looks like',
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SteadError('CONFIG_NOT_FOUND', `${JSON.stringify(path)} can't be read: ${(error as Error).message}`);
  }
}

function tellApplied(
  { apps, notes }: ApplyResponse,
  { json, isDryRun }: { readonly json: boolean; readonly isDryRun: boolean },
): number {
  const failed = apps.find(({ error }) => error !== null);
  if (json)
    printJson(failed ? { error: { ...failed.error, details: { ...failed.error!.details, apps } } } : { apps, notes });
  else {
    for (const note of notes) say(escapeControls(note));
    for (const app of apps) {
      print(line(app, isDryRun));
      if (app.error) sayError(withNearest(app.error));
    }
  }
  return failed ? exitCodeOf(failed.error!.code) : 0;
}

function line({ name, change, differing, app, error }: AppliedApp, isDryRun: boolean): string {
  const what = {
    new: 'new',
    changed: `changed (${differing.map(optionKey).join(', ')})`,
    same: 'as it was',
    removed: 'removed',
  }[change];
  const state = isDryRun || app === null ? '' : `; ${app.state}${pidsOf(app)}`;
  return `${escapeControls(name)}: ${what}${error === null ? state : ''}`;
}

const pidsOf = (app: AppView): string => {
  const pids = pidsInWords(app);
  return pids === null ? '' : `, ${pids}`;
};

/** `stopTimeoutMs` → `stop_timeout`, as it stands in the file. */
const optionKey = (property: string): string =>
  property.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

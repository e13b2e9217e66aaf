/** What `apply`, `up` and `start <config file>` share: config files are read here, and applied by the daemon. */
import { basename } from 'node:path';
import { act } from '../client/act.ts';
import { captureCaller } from '../client/caller.ts';
import { type LoadedConfig, loadConfig } from '../client/config/load-config.ts';
import { daemonNotes } from '../client/daemon-notes.ts';
import type { Flag } from '../config/parse.ts';
import { escapeControls } from '../host/bytes.ts';
import type { AppliedApp, ApplyRequest, ApplyResponse, AppView } from '../protocol/api.ts';
import { exitCodeOf, SteadError } from '../protocol/errors.ts';
import type { Call } from './command.ts';
import { sayError, withNearest } from './failure.ts';
import { print, printJson, say, withProgress } from './output.ts';
import { assertWritable } from './ownership.ts';
import { pidsInWords } from './render/instances.ts';

/** Which config, and what of it. */
export const configFlags: readonly Flag[] = [
  {
    name: 'file',
    short: 'f',
    type: 'texts',
    value: 'config',
    text: 'a config file; of several a later one goes over an earlier one',
  },
  { name: 'env', type: 'text', value: 'profile', text: 'with what is said under env_<profile>' },
  { name: 'only', type: 'texts', value: 'names', text: 'only these of its apps: web,worker' },
];

/** Of the words and flags of a call. */
export function loadCalled({ words, values }: Pick<Call, 'words' | 'values'>): Promise<LoadedConfig> {
  const files = [...words, ...((values.file as readonly string[] | undefined) ?? [])];
  return loadConfig(files, {
    cwd: process.cwd(),
    env: process.env,
    profile: values.env === undefined ? null : String(values.env),
    only: ((values.only as readonly string[] | undefined) ?? []).flatMap((text) => text.split(',')).filter(Boolean),
  });
}

export interface ApplyOptions {
  readonly isPruned: boolean;
  readonly isDryRun: boolean;
  readonly isAwaited: boolean;
  /** Some of its apps. */
  readonly isPartial: boolean;
}

export async function apply(home: string, config: LoadedConfig, options: ApplyOptions): Promise<ApplyResponse> {
  if (options.isPruned && options.isPartial)
    throw new SteadError('USAGE', '--prune removes what the file does not name, and --only names a part of it', {
      hint: 'one of them',
    });
  if (!options.isDryRun) assertWritable(home);
  // What is relative in a file is so to the file.
  const caller = { ...captureCaller(), cwd: config.directory };
  const { isPruned, isDryRun, isPartial } = options;
  const body: ApplyRequest = {
    file: config.file,
    project: config.project,
    apps: config.apps,
    ...{ isPruned, isDryRun, isPartial, caller, wait: options.isAwaited },
  };
  daemonNotes.tell = say;
  const answer = await act(home, 'apply', { body });
  return { ...answer, notes: [...config.notes, ...answer.notes] };
}

/** Reads and applies it; the exit code. */
export async function applyCalled(call: Call, options: Partial<ApplyOptions> = {}): Promise<number> {
  const config = await loadCalled(call);
  const { values, json, home } = call;
  const isDryRun = values['dry-run'] === true;
  const all: ApplyOptions = {
    isPruned: values.prune === true,
    isDryRun,
    isAwaited: values['no-wait'] !== true,
    isPartial: values.only !== undefined,
    ...options,
  };
  const answer = await withProgress(`Applying ${escapeControls(basename(config.file))} …`, apply(home, config, all));
  return tellApplied(answer, { json, isDryRun });
}

export function tellApplied(
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
      for (const change of app.changes ?? []) print(escapeControls(`    ${changeInWords(change)}`));
      if (app.error) sayError(withNearest(app.error));
    }
  }
  return failed ? exitCodeOf(failed.error!.code) : 0;
}

function changeInWords({ key, before, after }: NonNullable<AppliedApp['changes']>[number]): string {
  if (key === 'env' || key === 'secret') return `${key}: ${after} changed`;
  return `${key}: ${before ?? 'not said'} → ${after ?? 'not said'}`;
}

function line({ name, change, app, error }: AppliedApp, isDryRun: boolean): string {
  const what = { new: 'new', changed: 'changed', same: 'as it was', removed: 'removed' }[change];
  if (error !== null && app === null && change === 'same') return `${escapeControls(name)}: not brought up`;
  const state = isDryRun || app === null ? '' : `; ${app.state}${pidsOf(app)}`;
  return `${escapeControls(name)}: ${what}${error === null ? state : ''}`;
}

const pidsOf = (app: AppView): string => {
  const pids = pidsInWords(app);
  return pids === null ? '' : `, ${pids}`;
};

/** Of `up`, on stderr: what there is to know beside what the apps print. */
export function tellAppliedShortly({ apps, notes }: ApplyResponse, { isQuiet = false } = {}): void {
  if (!isQuiet) for (const note of notes) say(escapeControls(note));
  for (const app of apps) {
    if (!isQuiet) say(`stead: ${line(app, false)}`);
    if (app.error) sayError(withNearest(app.error));
  }
}

/** `stead dev`: a program in the foreground, restarted when its files change. */
import { randomBytes } from 'node:crypto';
import { extname, relative, resolve } from 'node:path';
import { wallMs } from '../host/clock.ts';
import { SteadError } from '../protocol/errors.ts';
import { parseExtensions } from '../watch/extensions.ts';
import { defaultRules } from '../watch/rules.ts';
import { startWatch, type Watch } from '../watch/watcher.ts';
import { makeHooks } from './hooks.ts';
import { type ImportGraph, openImportGraph } from './import-graph.ts';
import { endLeftovers } from './leftovers.ts';
import { environmentOf, type Launch, type LaunchRequest, launchOf } from './program.ts';
import { keyOf, putRecord } from './record.ts';
import { Runner } from './runner.ts';
import type { Settings } from './settings.ts';
import type { Change } from './step.ts';
import { makeTeller, type Teller } from './words.ts';

export interface DevOptions {
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  /** Never watched. A record of who runs what is kept there. */
  readonly home: string;
  /** Where graph.cjs lies. */
  readonly preload: string;
  /** A line on stderr. */
  print(line: string): void;
  readonly isColored: boolean;
}

/** Resolves with the exit code when it has been ended, and all that it ran with it. Throws for what can't be started at all. */
export async function dev({ settings, env, home, preload, print, isColored }: DevOptions): Promise<number> {
  const request = requestOf(settings, env);
  const launch = await launchUnlessBuilt(settings, request);
  const teller = makeTeller({ ...settings, hasColors: settings.hasColors && isColored, print });
  const surroundings = { cwd: settings.cwd, env: environmentOf(request) };
  const hooks = makeHooks(settings.events, surroundings, teller.warn);
  for (const file of settings.files) teller.detail(`reads ${file}`);
  const graph = settings.watch.isGraph ? openImportGraph(preload) : null;
  const traced = (one: Launch) => graph?.tracing(one) ?? one;
  const id = `dev${randomBytes(4).toString('hex')}`;
  const runner = new Runner({
    ...{ id, settings, surroundings, teller, hooks },
    launch: launch && traced(launch),
    resolveLaunch: () => launchOf(request).then(traced),
  });
  const watch = await watchFor({ settings, launch, home, graph, runner, note: teller.warn });
  if (watch !== null) {
    teller.say(`watching ${watchedWords(settings, launch)}${restartHint(settings, runner)}`);
    teller.detail(`${watch.directories} directories, ${watch.files} files`);
    graph?.follow(
      watch,
      () => runner.beganAt,
      (paths) => runner.change(changeOf(paths, settings.cwd), wallMs()),
    );
  }
  const key = keyOf(settings);
  await Promise.race([endLeftovers({ home, key, settings, teller }), runner.ended]);
  const removeRecord = recorded(() => putRecord(home, { key, id }), teller);
  runner.begin();
  const code = await runner.ended;
  removeRecord();
  watch?.close();
  graph?.close();
  return code;
}

/** Where no home can be, it goes without. */
function recorded(put: () => () => void, { detail }: Teller): () => void {
  try {
    return put();
  } catch (error) {
    detail(`no record of this program is kept: ${(error as Error).message}`);
    return () => {};
  }
}

const changeOf = (paths: readonly string[], cwd: string): Change => ({
  paths: paths.map((path) => relative(cwd, path)),
  count: paths.length,
});

/** null where the script isn't there, but may be when the gate has passed. */
async function launchUnlessBuilt({ before }: Settings, request: LaunchRequest): Promise<Launch | null> {
  try {
    return await launchOf(request);
  } catch (error) {
    if (before !== null && error instanceof SteadError && error.code === 'PROGRAM_NOT_FOUND') return null;
    throw error;
  }
}

function requestOf({ watch, program, cwd }: Settings, env: NodeJS.ProcessEnv): LaunchRequest {
  return { program, cwd, ext: parseExtensions(watch.ext ?? '')?.[0] ?? null, env };
}

export const launchFor = (settings: Settings, env: NodeJS.ProcessEnv): Promise<Launch> =>
  launchOf(requestOf(settings, env));

function watchedWords(settings: Settings, launch: Launch | null): string {
  const { roots, isGraph } = settings.watch;
  if (isGraph) return 'what it imports';
  return `${roots?.length ? roots.join(' ') : '*.*'} (${extensionsOf(settings, launch) || 'all files'})`;
}

function restartHint({ restartWord }: Settings, { hears }: Runner): string {
  if (hears === 'nothing') return '';
  return `; to restart, type ${restartWord} and Enter${hears === 'unread' ? ', unless the program reads it' : ''}`;
}

/** As text: what was asked for, else the script's own extension and json; '' for any. */
export function extensionsOf({ watch, program }: Settings, launch: Launch | null): string {
  if (watch.ext !== null) return parseExtensions(watch.ext)?.join(',') ?? '';
  const own = extname(launch?.script ?? program.script ?? '').slice(1);
  return ['', 'js', 'mjs', 'cjs'].includes(own) ? 'js,mjs,cjs,json' : `${own},json`;
}

interface Watching {
  readonly settings: Settings;
  readonly launch: Launch | null;
  readonly home: string;
  readonly graph: ImportGraph | null;
  readonly runner: Runner;
  note(text: string): void;
}

async function watchFor({ settings, launch, home, graph, runner, note }: Watching): Promise<Watch | null> {
  const { cwd, watch } = settings;
  if (watch.roots === null) return null;
  return startWatch({
    roots: graph === null ? watch.roots : null,
    rules: {
      ...defaultRules,
      cwd,
      ext: parseExtensions(extensionsOf(settings, launch)),
      ignore: watch.ignore,
      style: watch.style,
      ignoreRoot: watch.ignoreRoot,
      gitignore: watch.gitignore,
      always: alwaysOf(settings, launch, graph),
      own: [resolve(home)],
    },
    quietMs: watch.quietMs,
    mostMs: watch.mostMs,
    pollMs: watch.pollMs ?? undefined,
    isInhabited: true,
    onChange: ({ paths, count, at }) => runner.change({ paths, count }, at),
    onNote: note,
  });
}

function alwaysOf({ cwd, before }: Settings, launch: Launch | null, graph: ImportGraph | null): readonly string[] {
  const script = launch?.script ?? null;
  if (graph !== null) return graph.beside(cwd, script);
  // What a gate builds is no reason for another one.
  return before !== null || script === null ? [] : [script];
}

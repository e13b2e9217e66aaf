/** One script of forever → an app. What forever does with it, and by which defaults: forever 4.0.3, forever-monitor 3.0.3. */
import { basename, extname, isAbsolute, relative, resolve } from 'node:path';
import { quote } from '../../config/values.ts';
import { cwdFrom, type ForeignContext, logFrom, pathFrom } from '../context.ts';
import type { Draft, Names } from '../draft.ts';
import type { ForeignApp } from '../model.ts';
import { splitWords } from '../shell-words.ts';
import type { ForeverOptions } from './options.ts';

export interface ForeverContext extends Omit<ForeignContext, 'file'> {
  /** Where forever is said to start it. */
  readonly directory: string;
  /** FOREVER_ROOT. */
  readonly root: string;
  readonly names: Names;
}

export function foreverApp(options: ForeverOptions, context: ForeverContext): ForeignApp {
  const { script, uid, id } = options;
  const name = uid ?? id ?? basename(script, extname(script));
  const draft = context.names.begin(name === '' || name === '.' ? basename(context.directory) : name);
  const places = placesOf(options, context.directory);
  putProgram(draft, options, places, context.base);
  draft.put('cwd', cwdFrom(context.base, places.cwd));
  if (places.isRoot) draft.note('forever runs a script with an absolute path in /; cwd says another directory.');
  putRestart(draft, options);
  draft.put('stop_signal', options.killSignal, `killSignal: ${options.killSignal}`);
  if (options.killTree === false) draft.note('killTree: a stop ends all that the program started, here in any case.');
  putLogs(draft, options, context);
  putWatch(draft, options, places);
  sayTheRest(draft, options);
  return draft.app();
}

interface Places {
  /** That a script is relative to, and that is watched. */
  readonly source: string;
  readonly cwd: string;
  /** Nothing was said, and forever takes the root directory. */
  readonly isRoot: boolean;
}

function placesOf({ script, sourceDir, workingDir }: ForeverOptions, directory: string): Places {
  const isRoot = sourceDir === undefined && isAbsolute(script);
  const source = isRoot ? '/' : resolve(directory, sourceDir ?? '.');
  return {
    source,
    cwd: workingDir === undefined ? source : resolve(directory, workingDir),
    isRoot: isRoot && workingDir === undefined,
  };
}

const runByNode = ['.js', '.mjs', '.cjs'];

/** Everything is run by node, unless a command is said. */
function putProgram(draft: Draft, { script, args, command }: ForeverOptions, { source }: Places, base: string): void {
  const words = command === undefined ? [] : (splitWords(command) ?? [command]);
  const [first, ...rest] = words;
  // `-c "npm start" ./`: the script is none, and stands for the directory.
  if (first !== undefined && (/^\.{0,2}\/?$/.test(script) || script.endsWith('/'))) {
    draft.put('command', [...words, script, ...args]);
    return;
  }
  draft.put('script', pathFrom(base, resolve(source, script)));
  if (args.length > 0) draft.put('args', args);
  const isNode = first === undefined || ['node', 'nodejs'].includes(first);
  if (first !== undefined && !isNode) draft.put('interpreter', first, `command: ${command}`);
  else if (!runByNode.includes(extname(script)) || rest.length > 0) draft.put('interpreter', 'node');
  if (rest.length > 0) draft.put('interpreter_args', rest, `command: ${command}`);
}

/** No more runs than `max`, whatever they end with; one that ends before `minUptime` waits for `spinSleepTime`. */
function putRestart(draft: Draft, { max, minUptime, spinSleepTime }: ForeverOptions): void {
  if (max === 1) draft.put('restart', 'no');
  else if (max !== undefined && max > 1) {
    draft.put('max_restarts', max - 1, `max: ${max}`);
    if (max <= countedLong) draft.put('restart_window', '365d');
    else draft.note(`max: ${max}: restarts in a row are counted here.`);
  }
  if (minUptime !== undefined && minUptime > 0) draft.put('stable_after', `${minUptime}ms`, `minUptime: ${minUptime}`);
  if (spinSleepTime !== undefined) {
    for (const key of ['backoff_min', 'backoff_max'])
      draft.put(key, `${Math.max(1, spinSleepTime)}ms`, `spinSleepTime: ${spinSleepTime}`);
    draft.put('backoff_factor', 1);
  } else if (minUptime !== undefined && minUptime > 0)
    draft.note(
      'minUptime without spinSleepTime: forever leaves ended what ends too soon; here it is tried again, later each time; max_restarts: 5 ends that.',
    );
}

/** Each restart within the window is on record. */
const countedLong = 1000;

function putLogs(
  draft: Draft,
  { logFile, outFile, errFile, append }: ForeverOptions,
  { base, directory, root }: ForeverContext,
): void {
  const isSplit = outFile !== undefined || errFile !== undefined;
  if (outFile !== undefined) draft.put('log_out', logFrom(base, resolve(directory, outFile)), 'outFile');
  if (errFile !== undefined) draft.put('log_err', logFrom(base, resolve(directory, errFile)), 'errFile');
  if (logFile !== undefined && isSplit)
    draft.note(`logFile: ${logFile}: left out, as what is printed goes to outFile and errFile alone.`);
  else if (logFile !== undefined && draft.put('log_out', logFrom(base, resolve(root, logFile)), 'logFile'))
    draft.put('log_merge', true);
  if (append === false && (isSplit || logFile !== undefined)) draft.note('append: a log is always appended to.');
}

/** forever watches all files, and ignores what `watchIgnore` and .foreverignore name. */
function putWatch(draft: Draft, { watch, watchDirectory, watchIgnore }: ForeverOptions, { source, cwd }: Places): void {
  if (watch !== true) {
    if (watchDirectory !== undefined || watchIgnore !== undefined)
      draft.note('watchDirectory and watchIgnore mean nothing without watch.');
    return;
  }
  const paths = (watchDirectory ?? ['.']).map((path) => relative(cwd, resolve(source, path)) || '.');
  draft.put('watch', paths.length === 1 && paths[0] === '.' ? true : paths);
  draft.put('ext', '*');
  if (watchIgnore !== undefined && watchIgnore.length > 0) draft.put('ignore_watch', watchIgnore, 'watchIgnore');
}

function sayTheRest(draft: Draft, { uid, id, pidFile, path }: ForeverOptions): void {
  if (id !== undefined && uid !== undefined && id !== uid) draft.note(`id: ${quote(id)}: an app has one name.`);
  if (pidFile !== undefined) draft.note(`pidFile: stead pid ${draft.get('name')} prints it.`);
  if (path !== undefined) draft.note(`path: ${path}: STEAD_HOME is where all of stead lies.`);
}

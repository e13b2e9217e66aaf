/** A watch of a directory of a test, and what it tells. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultRules, type RuleOptions } from '../../src/watch/rules.ts';
import { type ChangeSet, startWatch, type Watch, type WatchOptions } from '../../src/watch/watcher.ts';
import type { Cleanup } from './temporary.ts';
import { patienceMs, waitFor } from './wait.ts';

export interface Watching {
  readonly watch: Watch;
  readonly changes: readonly ChangeSet[];
  readonly notes: readonly string[];
  /** The next change that isn't taken yet. */
  next(): Promise<ChangeSet>;
  /** Changes a file of its own, and gives what was told up to that: all that was to be told before. */
  settled(): Promise<readonly ChangeSet[]>;
}

export interface Project {
  /** Absolute. */
  readonly root: string;
  at(path: string): string;
  write(path: string, text?: string): void;
  watch(options?: Partial<Omit<WatchOptions, 'rules'>>, rules?: Partial<RuleOptions>): Promise<Watching>;
}

/** A directory with these files in it, all of them older than any watch. */
export async function project(
  cleanup: Cleanup,
  files: readonly string[] = [],
  { isLarge = false } = {},
): Promise<Project> {
  // Ten thousand files take a disk half a minute.
  const place = isLarge && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const root = realpathSync(mkdtempSync(join(place, 'stead-watch-')));
  cleanup.after(() => rmSync(root, { recursive: true, force: true }));
  const at = (path: string) => join(root, path);
  const write = (path: string, text = `${path} ${Math.random()}\n`) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  for (const file of files) write(file);
  if (files.length > 0) await untilOld(at(files.at(-1)!));
  return {
    root,
    at,
    write,
    watch: (options = {}, rules = {}) => start(cleanup, { root, write }, options, rules),
  };
}

/** A file that has changed just before a watch began may have changed after it, as far as its time tells. */
async function untilOld(path: string): Promise<void> {
  await waitFor(`${path} to be old`, () => Date.now() > statSync(path).ctimeMs + 40);
}

/** What happens to a file in the kernel's tick in which it was read can't be told from before. On a busy machine a tick may be long. */
async function nextTick(root: string): Promise<void> {
  const probe = `${root}.probe`;
  const timeNow = () => {
    writeFileSync(probe, '');
    // The time of a file's making is of the kernel's tick, as that of a reading is.
    const { birthtimeMs } = statSync(probe);
    rmSync(probe);
    return birthtimeMs;
  };
  const before = timeNow();
  await waitFor('a tick of the kernel', () => timeNow() > before + 10);
}

async function start(
  cleanup: Cleanup,
  { root, write }: Pick<Project, 'root' | 'write'>,
  options: Partial<Omit<WatchOptions, 'rules'>>,
  rules: Partial<RuleOptions>,
): Promise<Watching> {
  const changes: ChangeSet[] = [];
  const notes: string[] = [];
  let taken = 0;
  const sentinel = 'sentinel.js';
  const watch = await startWatch({
    roots: [],
    quietMs: 50,
    mostMs: 2000,
    ...options,
    rules: { ...defaultRules, cwd: root, ...rules, always: [...(rules.always ?? []), sentinel] },
    onChange: (change) => changes.push(change),
    onNote: (text) => notes.push(text),
  });
  cleanup.after(() => watch.close());
  await watch.known;
  await nextTick(root);
  const next = async () => {
    const deadline = performance.now() + patienceMs;
    while (changes.length <= taken) {
      if (performance.now() > deadline) throw new Error(`no change in ${patienceMs} ms; notes: ${notes}`);
      await pause(5);
    }
    return changes[taken++]!;
  };
  const settled = async () => {
    // What is under way is told first.
    write(sentinel);
    await waitFor('the sentinel', () => changes.some(({ paths }) => paths.includes(sentinel)));
    const before = changes.slice(taken);
    taken = changes.length;
    const found = before.flatMap(({ paths, ...rest }) => {
      const others = paths.filter((path) => path !== sentinel);
      return others.length === 0 ? [] : [{ ...rest, paths: others }];
    });
    for (const change of changes)
      (change.paths as string[]).splice(0, change.paths.length, ...change.paths.filter((path) => path !== sentinel));
    return found;
  };
  return { watch, changes, notes, next, settled };
}

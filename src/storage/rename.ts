/**
 * Another name for an app: its directories are moved. What a run under way still reaches by the old path (its launcher makes records there) it finds through a link,
 * which goes when that run is over; until then nobody else can have the old name.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory } from '../host/files.ts';
import { appDirectory, appsDirectory, directoryName, nameOfDirectory } from './layout.ts';

const logsOf = (home: string, name: string): string => join(home, 'logs', directoryName(name));

/** Durable when it returns. The spec's file, which has the old name in it, is the caller's to write: until then the directory's name counts. */
export function renameApp(home: string, { from, to }: { readonly from: string; readonly to: string }): void {
  const [old, fresh] = [appDirectory(home, from), appDirectory(home, to)];
  // It had this name before.
  forgetFormerName(home, to);
  const former = [...formerNames(home)].filter(([, name]) => name === from).map(([name]) => name);
  renameSync(old, fresh);
  for (const name of [from, ...former]) pointTo(home, name, to);
  syncDirectory(appsDirectory(home));
  moveLogs(home, from, to);
}

function pointTo(home: string, name: string, to: string): void {
  forgetFormerName(home, name);
  symlinkSync(directoryName(to), appDirectory(home, name));
}

/** Logs of an app that had the new name before, and was deleted, are not mixed with these: they are written over by nobody, as the name has a number then. */
function moveLogs(home: string, from: string, to: string): void {
  const [old, fresh] = [logsOf(home, from), logsOf(home, to)];
  if (!existsSync(old) || lstatSync(old).isSymbolicLink()) return;
  for (let number = 1; existsSync(fresh) && number < 1000; number++) {
    if (existsSync(`${fresh}.old-${number}`)) continue;
    renameSync(fresh, `${fresh}.old-${number}`);
  }
  renameSync(old, fresh);
}

/** The old names that links keep, and whose they are. */
export function formerNames(home: string): Map<string, string> {
  const apps = appsDirectory(home);
  if (!existsSync(apps)) return new Map();
  return new Map(
    readdirSync(apps, { withFileTypes: true })
      .filter((entry) => entry.isSymbolicLink())
      .map(({ name }) => [nameOfDirectory(name), nameOfDirectory(readlinkSync(join(apps, name)))]),
  );
}

/** Who had this name and has, with a run that knows it by it, another one now; null: nobody. */
export function renamedFrom(home: string, name: string): string | null {
  try {
    return nameOfDirectory(readlinkSync(appDirectory(home, name)));
  } catch {
    return null;
  }
}

/** The machine stopped between two steps of a renaming. */
export function finishRenaming(home: string): void {
  for (const [from, to] of formerNames(home)) {
    if (!existsSync(appDirectory(home, to))) forgetFormerName(home, from);
    else if (!existsSync(logsOf(home, to))) moveLogs(home, from, to);
  }
}

export function forgetFormerName(home: string, name: string): void {
  const path = appDirectory(home, name);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path, { force: true });
}

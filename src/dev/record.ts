/**
 * Who runs what where, for the one after it: a `stead dev` that is killed (SIGKILL, no memory left) can end nothing. Its record is the name of an empty file in the home,
 * `dev/KEY.PID.START.ID`: KEY stands for directory and program, PID and START (clock ticks since boot) are the process, ID is what the STEAD_RUN_ID of all that it starts begins with.
 */
import { hash } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, processStat } from '../host/process.ts';
import { prepareFolder, prepareHome } from '../storage/home.ts';
import type { Settings } from './settings.ts';

const folder = 'dev';

export interface DevRecord {
  readonly path: string;
  readonly key: string;
  readonly id: string;
}

/** The same for the same script or command in the same directory, whatever its arguments are. */
export const keyOf = ({ cwd, program: { exec, script } }: Pick<Settings, 'cwd' | 'program'>): string =>
  hash('sha1', JSON.stringify([cwd, exec, script])).slice(0, 16);

/** Puts down this process; gives what takes the record away. Throws HOME_UNSAFE, HOME_UNUSABLE, or the system's error. */
export function putRecord(home: string, { key, id }: Pick<DevRecord, 'key' | 'id'>): () => void {
  prepareHome(home);
  prepareFolder(home, folder);
  const { pid } = process;
  const path = join(home, folder, [key, pid, processStat(pid)?.startTicks ?? 0, id].join('.'));
  writeFileSync(path, '', { mode: 0o600 });
  return () => removeRecord(path);
}

export const removeRecord = (path: string): void => rmSync(path, { force: true });

/** Of those that are gone, and didn't take their record away. */
export function recordsOfDead(home: string): DevRecord[] {
  return namesIn(join(home, folder)).flatMap((name) => {
    const match = /^([0-9a-f]+)\.(\d+)\.(\d+)\.(dev[0-9a-f]+)$/.exec(name);
    if (match === null) return [];
    const [, key, pid, startTicks, id] = match as unknown as [string, string, string, string, string];
    if (isAlive({ pid: Number(pid), startTicks: Number(startTicks) })) return [];
    return [{ path: join(home, folder, name), key, id }];
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Finds logs on disk: of apps that are known and of those that were, with or without a daemon. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type LogPlace, logDirectory, logFiles, placeOf, type StreamName } from './layout.ts';
import { readRecord, recordIdentity } from './record.ts';

export interface FoundLog {
  readonly index: number;
  readonly stream: StreamName;
  readonly place: LogPlace;
}

/** The logs of an app: of each instance named, and of those that left any. */
export function findLogs(home: string, name: string, indexes: readonly number[]): readonly FoundLog[] {
  const directory = logDirectory(home, name);
  const left = [...entriesOf(directory), ...entriesOf(join(directory, '.state'))].flatMap((entry) => {
    const match = /^(\d{1,6})\.(?:out|err)\.(?:log|json)$/.exec(entry);
    return match ? [Number(match[1])] : [];
  });
  const all = [...new Set([...indexes, ...left])].sort((a, b) => a - b);
  return all.flatMap((index) => [findLog(home, name, index, 'out'), findLog(home, name, index, 'err')]);
}

/** Whether logs of an app of this name are there. */
export const hasLogs = (home: string, name: string): boolean =>
  /^[A-Za-z0-9][\w.-]*$/.test(name) && existsSync(logDirectory(home, name));

function findLog(home: string, name: string, index: number, stream: StreamName): FoundLog {
  const usual = placeOf(home, name, { index, stream, file: logFiles(home, name, index)[stream] });
  try {
    // Where it lies elsewhere there is a record that says so.
    const file = recordIdentity(usual.record) === '' ? usual.file : readRecord(usual.record, usual.file).file;
    return { index, stream, place: { ...usual, file } };
  } catch {
    return { index, stream, place: usual };
  }
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

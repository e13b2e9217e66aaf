/** What a reader is told besides the text, and how paths of theirs become paths of ours. */
import { isAbsolute, relative, resolve } from 'node:path';

/** Other files that a file names. Each throws CONFIG_INVALID for one that is no text, or too large. */
export interface Files {
  /** Null: there is none. */
  read(path: string): string | null;
  /** Names in a directory, sorted; none if there is no such directory. */
  list(directory: string): readonly string[];
}

export interface ForeignContext {
  /** The absolute path of what is read. */
  readonly file: string;
  /** The absolute path of the directory in which the result will stand: relative paths of a config file are so to it. */
  readonly base: string;
  /** What `$VARS` of the file mean. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: string;
  readonly userHome: string;
  readonly hostName: string;
  readonly files: Files;
}

/** A path as it stands in the result: relative to it where it lies below, else absolute. */
export function pathFrom(base: string, path: string): string {
  const short = relative(base, path);
  return short === '' || short === '..' || short.startsWith('../') || isAbsolute(short) ? path : short;
}

/** The path of a log: a file that is called so is not "nowhere". */
export const logFrom = (base: string, path: string): string => pathFrom(base, path).replace(/^none$/, './none');

/** The value of `cwd`; undefined where it is the directory of the result itself. */
export function cwdFrom(base: string, directory: string): string | undefined {
  return resolve(directory) === resolve(base) ? undefined : pathFrom(base, resolve(directory));
}

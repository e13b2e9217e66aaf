/**
 * Where logs lie: `<home>/logs/<name>/<index>.out.log` and `<index>.err.log`, unless an app says otherwise, and beside them in `.state/` what is known of each: its
 * record (`0.out.json`) and its time index (`0.out.times`). Archives lie beside the file that they come from: `0.out.log.3`, `0.out.log.3.gz`.
 */
import { join } from 'node:path';

export type StreamName = 'out' | 'err';

export interface LogFiles {
  readonly out: string;
  readonly err: string;
}

/** One log: the file that its program writes to, and what is kept of it. */
export interface LogPlace {
  readonly file: string;
  /** See `record.ts`. */
  readonly record: string;
  /** See `times.ts`. */
  readonly times: string;
}

/** What an app says of where its logs go; null is the usual place. */
export interface LogTargets {
  readonly out: string | null;
  readonly err: string | null;
  /** Both go where `out` does. */
  readonly merge: boolean;
}

export const usualTargets: LogTargets = { out: null, err: null, merge: false };

/** A log that is thrown away. */
export const nowhere = '/dev/null';

/** A file that nobody keeps: it has no record and no times. */
export const unkept = (file: string): LogPlace => ({ file, record: '', times: '' });

/** The directory of an app's logs. `name` is a checked name: it is the file name. */
export function logDirectory(home: string, name: string): string {
  return join(home, 'logs', name);
}

/** The two log files of one instance; the same one twice where they are merged. */
export function logFiles(home: string, name: string, index: number, targets = usualTargets): LogFiles {
  const usual = (stream: StreamName) => join(logDirectory(home, name), `${index}.${stream}.log`);
  const own = (path: string | null) => (path === null ? null : ofInstance(path, index));
  const out = own(targets.out) ?? usual('out');
  return { out, err: targets.merge ? out : (own(targets.err) ?? usual('err')) };
}

/** The logs of one instance that are files: one where they are merged or one is thrown away. */
export function logPlaces(
  home: string,
  name: string,
  index: number,
  targets = usualTargets,
): readonly (LogPlace & { readonly stream: StreamName })[] {
  const files = logFiles(home, name, index, targets);
  const streams: readonly StreamName[] = files.err === files.out ? ['out'] : ['out', 'err'];
  return streams
    .filter((stream) => files[stream] !== nowhere)
    .map((stream) => ({ stream, ...placeOf(home, name, { index, stream, file: files[stream] }) }));
}

/** One stream of an instance at a file that is known. */
export function placeOf(
  home: string,
  name: string,
  { index, stream, file }: { index: number; stream: StreamName; file: string },
): LogPlace {
  const state = join(logDirectory(home, name), '.state');
  return { file, record: join(state, `${index}.${stream}.json`), times: join(state, `${index}.${stream}.times`) };
}

/** Of a path that one instance has to itself: the first has it as it is said, the others with their number. */
const ofInstance = (path: string, index: number): string =>
  index === 0 || path === nowhere ? path : path.replace(/(\.[^./]+)?$/, (ending) => `-${index}${ending}`);

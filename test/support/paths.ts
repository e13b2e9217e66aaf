import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository: tests run bundled, so the way up is looked for, not counted. */
export const repository: string = findUp(import.meta.dirname);

/** The built command. */
export const steadBin: string = join(repository, 'bin/stead.cjs');

function findUp(from: string): string {
  if (existsSync(join(from, 'bin/stead.cjs')) && existsSync(join(from, 'package.json'))) return from;
  if (dirname(from) === from) throw new Error('no stead repository above the tests');
  return findUp(dirname(from));
}

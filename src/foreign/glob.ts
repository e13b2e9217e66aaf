/** Paths that a shell pattern matches: `/etc/x/conf.d/*.conf`. */
import { join } from 'node:path';
import picomatch from 'picomatch';
import type { Files } from './context.ts';

/** A directory that large is no directory of configs. */
const mostFiles = 10_000;

/** Absolute paths, sorted as a shell has them; of a path without wildcards that path. Hidden files need a dot in the pattern. */
export function globFiles(pattern: string, files: Files): readonly string[] {
  const found = pattern
    .split('/')
    .slice(1)
    .reduce<readonly string[]>(
      (places, part) =>
        /[*?[]/.test(part)
          ? places.flatMap((place) => matching(place, part, files)).slice(0, mostFiles)
          : places.map((place) => join(place, part)),
      ['/'],
    );
  return found.filter((path) => !/[*?[]/.test(pattern) || files.list(path).length === 0);
}

function matching(place: string, part: string, files: Files): readonly string[] {
  const matches = picomatch(part, { nobrace: true, noextglob: true });
  return files
    .list(place)
    .filter((name) => matches(name))
    .map((name) => join(place, name));
}

/** Ways in which the command is called that a Node test cannot call by itself: a shell script, byte for byte. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { steadBin } from './paths.ts';
import type { Stead } from './stead.ts';

/** How a shell script calls the command. */
export const steadInShell: string = `"${process.execPath}" "${steadBin}"`;

/** A script file of the test's own, from text in which each character is one byte (latin1). Returns its path. */
export function shellScript(stead: Stead, bytes: string): string {
  const path = join(stead.directory, `caller-${randomUUID()}.sh`);
  writeFileSync(path, Buffer.from(bytes, 'latin1'));
  return path;
}

/** A word of a shell script that stands for these bytes (latin1). */
export const quoted = (bytes: string): string => `'${bytes.replaceAll("'", "'\\''")}'`;

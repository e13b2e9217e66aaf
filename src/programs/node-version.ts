/** `.nvmrc` and `.node-version`: said when they differ from what runs, not acted on. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fsPath } from './find.ts';
import { nodeVersion, type Surroundings } from './probe.ts';
import { findAbove } from './project.ts';

/** A note if the project asks for another Node than the one at `node`; else null. */
export async function nodeVersionNote(
  script: string,
  node: string,
  surroundings: Surroundings,
): Promise<string | null> {
  const file = await findAbove(dirname(script), ['.nvmrc', '.node-version']);
  if (file === null) return null;
  const wanted = wantedVersion(await readFile(fsPath(file), 'utf8').catch(() => ''));
  if (wanted === null) return null;
  const actual = await nodeVersion(node, surroundings);
  if (actual === null || `${actual}.`.startsWith(`${wanted}.`)) return null;
  return `${basename(file)} asks for Node ${wanted}, but it runs with ${actual} (${node}): switch, or use --interpreter`;
}

/** `v20.11\n` → `20.11`; null for what is no number (`lts/iron`), as only the version manager knows it. */
export function wantedVersion(text: string): string | null {
  const line = text
    .slice(0, 1000)
    .split('\n')
    .find((candidate) => candidate.trim() !== '' && !candidate.startsWith('#'));
  return /^v?(\d+(\.\d+){0,2})\s*$/.exec(line?.trim() ?? '')?.[1] ?? null;
}

/** YAML of other tools: read within bounds, with the lines of its keys for what is wrong with it. */
import { type Document, isMap, LineCounter, type Node } from 'yaml';
import { composeYaml } from '../config/file/compose-yaml.ts';
import { mistaken } from './mistakes.ts';

const deepest = 30;

export interface YamlText {
  readonly value: unknown;
  /** From 1; of the nearest that is there. */
  lineOf(path: readonly string[]): number | null;
}

/** Throws CONFIG_INVALID for what is no YAML, is nested too deeply, or grows by its aliases. */
export function readYaml(text: string, file: string): YamlText {
  const lines = new LineCounter();
  const documents = composeYaml(text, lines, deepest);
  if (documents === null) throw mistaken(file, 'it is nested too deeply');
  const [document, ...others] = documents;
  const [error] = document?.errors ?? [];
  if (error !== undefined)
    throw mistaken(
      file,
      error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      lines.linePos(error.pos[0]).line,
    );
  if (document === undefined || others.length > 0) throw mistaken(file, 'it must hold one document');
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { value, lineOf: (path) => lineOf(document as Document, lines, path) };
  } catch (failure) {
    throw mistaken(file, (failure as Error).message);
  }
}

function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | null {
  let node: unknown = document.contents;
  let line: number | null = null;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => String((item.key as { value?: unknown } | null)?.value) === key);
    if (pair === undefined) break;
    const offset = (pair.key as Node | null)?.range?.[0];
    if (offset !== undefined) line = lines.linePos(offset).line;
    node = pair.value;
  }
  return line;
}

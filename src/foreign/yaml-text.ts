/** YAML of other tools: read within bounds, with the lines of its keys for what is wrong with it. */
import { type Document, isCollection, isMap, isPair, LineCounter, type Node, parseDocument } from 'yaml';
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
  const document = parseDocument(text, { lineCounter: lines, merge: true, version: '1.2' });
  const [error] = document.errors;
  if (error !== undefined)
    throw mistaken(
      file,
      error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      lines.linePos(error.pos[0]).line,
    );
  if (isTooDeep(document.contents as Node | null)) throw mistaken(file, 'it is nested too deeply');
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { value, lineOf: (path) => lineOf(document, lines, path) };
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

/** Looked at without recursion: a file may try to be deeper than any stack. */
function isTooDeep(root: Node | null): boolean {
  const open: { readonly node: unknown; readonly depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > deepest) return true;
    if (!isCollection(next.node)) continue;
    for (const item of next.node.items) open.push({ node: isPair(item) ? item.value : item, depth: next.depth + 1 });
  }
  return false;
}

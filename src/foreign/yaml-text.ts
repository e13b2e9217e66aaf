/** YAML of other tools: read within bounds, with the lines of its keys for what is wrong with it. */
import { Composer, CST, type Document, isMap, LineCounter, type Node, Parser } from 'yaml';
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
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (isTooDeep(tokens)) throw mistaken(file, 'it is nested too deeply');
  const [document, ...others] = new Composer({ merge: true, version: '1.2' }).compose(tokens, true, text.length);
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

/** Before nodes are made of the tokens, which goes as deep into the stack as they are nested; a file may try to be deeper than any stack. */
function isTooDeep(tokens: readonly CST.Token[]): boolean {
  const open: { readonly token: CST.Token | null | undefined; readonly depth: number }[] = tokens.map((token) => ({
    token: token.type === 'document' ? token.value : token,
    depth: 0,
  }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (depth > deepest) return true;
    if (!CST.isCollection(token)) continue;
    for (const { key, value } of token.items)
      open.push({ token: key, depth: depth + 1 }, { token: value, depth: depth + 1 });
  }
  return false;
}

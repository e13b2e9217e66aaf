/** Text of a config file → its value and the lines of what is in it. JSON is read as the YAML that it is. Nothing in it can take much memory or time. */
import { Document, isCollection, isMap, LineCounter, type Node } from 'yaml';
import { composeYaml } from './compose-yaml.ts';
import { interpolate } from './interpolate.ts';

const mostBytes = 4 * 1024 * 1024;
const deepest = 20;

const tooDeep = 'it is nested too deeply';

export type Path = readonly (string | number)[];

export interface Mistake {
  /** From 1; null where it concerns the file. */
  readonly line: number | null;
  readonly text: string;
}

export interface Source {
  /** Undefined if there are mistakes. */
  readonly value: unknown;
  readonly mistakes: readonly Mistake[];
  /** Of the key if it is there, else of what holds it; null where lines are not known. */
  lineOf(path: Path): number | null;
}

/** `env` is what `${VAR}` means; null leaves it as it stands. */
export function parseConfigText(text: string, env: NodeJS.ProcessEnv | null): Source {
  if (text.length > mostBytes)
    return failed([{ line: null, text: `it has ${text.length} bytes, more than ${mostBytes}` }]);
  return plainJson(text, env) ?? parseYaml(text, env);
}

/** Most JSON needs nothing but to be parsed, ten times as fast; its lines are looked up when there is a mistake. */
function plainJson(text: string, env: NodeJS.ProcessEnv | null): Source | null {
  if (!/^\s*[{[]/.test(text) || (env !== null && text.includes('${'))) return null;
  try {
    const value: unknown = JSON.parse(text);
    let slow: Source | null = null;
    const lineOf = (path: Path) => {
      slow ??= parseYaml(text, null);
      return slow.lineOf(path);
    };
    return isDeepValue(value) || saysTwice(text) ? null : { value, mistakes: [], lineOf };
  } catch {
    return null;
  }
}

function parseYaml(text: string, env: NodeJS.ProcessEnv | null): Source {
  const lines = new LineCounter();
  const documents = composeYaml(text, lines, deepest);
  if (documents === null) return failed([{ line: 1, text: tooDeep }]);
  const [document = new Document(null), ...others] = documents;
  const lineOf = (path: Path) => lineIn(document, lines, path);
  if (document.errors.length > 0) {
    return failed(
      document.errors.map(({ pos, message }) => ({
        line: lines.linePos(pos[0]).line,
        text: message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      })),
    );
  }
  if (others.length > 0) return failed([{ line: lineIn(others[0]!, lines, []), text: 'it holds a second document' }]);
  const unset = env === null ? [] : interpolate(document, env);
  if (unset.length > 0)
    return failed(unset.map(({ offset, text: what }) => ({ line: lines.linePos(offset).line, text: what })));
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), mistakes: [], lineOf };
  } catch (error) {
    return failed([{ line: lineOf([]), text: (error as Error).message }]);
  }
}

/** A value that was never text. */
export const valueSource = (value: unknown): Source => ({ value, mistakes: [], lineOf: () => null });

const failed = (mistakes: readonly Mistake[]): Source => ({ value: undefined, mistakes, lineOf: () => null });

function lineIn(document: Document, lines: LineCounter, path: Path): number | null {
  for (let length = path.length; length >= 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== null) return lines.linePos(offset).line;
  }
  return null;
}

function offsetOf(document: Document, path: Path): number | null {
  if (path.length === 0) return (document.contents as Node | null)?.range?.[0] ?? null;
  const holder = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isCollection(holder)) return null;
  const last = path.at(-1)!;
  if (isMap(holder)) {
    const pair = holder.items.find(
      ({ key }) => String((key as { value?: unknown } | null)?.value ?? key) === String(last),
    );
    return (pair?.key as Node | undefined)?.range?.[0] ?? null;
  }
  return ((holder.get(last, true) as Node | undefined)?.range ?? [null])[0];
}

function isDeepValue(root: unknown): boolean {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= deepest) return true;
    for (const value of Object.values(next.value)) open.push({ value, depth: next.depth + 1 });
  }
  return false;
}

/** Whether a map of a valid JSON text has a key twice, of which JSON.parse takes the last without a word. */
function saysTwice(text: string): boolean {
  const maps: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{') maps.push(new Set());
    else if (token === '[') maps.push(null);
    else if (token === '}' || token === ']') maps.pop();
    else if (token === ':') {
      const keys = maps.at(-1);
      if (keys?.has(last)) return true;
      keys?.add(last);
    } else last = token;
  }
  return false;
}

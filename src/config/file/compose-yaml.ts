import { Composer, CST, type Document, type LineCounter, Parser } from 'yaml';

/** The documents of a text, with their errors; null if it is nested deeper than `deepest`. */
export function composeYaml(text: string, lines: LineCounter, deepest: number): readonly Document[] | null {
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (isTooDeep(tokens, deepest)) return null;
  return [...new Composer({ merge: true, version: '1.2' }).compose(tokens, true, text.length)] as Document[];
}

/** Before nodes are made of the tokens, which goes as deep into the stack as they are nested; a file may try to be deeper than any stack. */
function isTooDeep(tokens: readonly CST.Token[], deepest: number): boolean {
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

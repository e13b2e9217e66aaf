/** Lists of file extensions as people write them: `js,ts`, `"js ts"`, `.js,.ts`, `*.js`, `js|ts`. */

/** Without their dots, `d.ts` for one of two parts; null for any (`*`, nothing). */
export function parseExtensions(text: string): readonly string[] | null {
  const words = text
    .split(/[\s,|]+/)
    .map((word) => word.replace(/^\*?\.?/, ''))
    .filter((word) => word !== '');
  return words.length === 0 || words.includes('*') ? null : [...new Set(words)];
}

/** Tests a file's name. A name that is nothing but the extension (`.js`) has none. */
export function extensionTest(extensions: readonly string[] | null): (name: string) => boolean {
  if (extensions === null) return () => true;
  const simple = new Set(extensions.filter((one) => !one.includes('.')));
  const others = extensions.filter((one) => one.includes('.')).map((one) => `.${one}`);
  return (name) => {
    const dot = name.lastIndexOf('.');
    if (dot > 0 && simple.has(name.slice(dot + 1))) return true;
    return others.some((one) => name.length > one.length && name.endsWith(one));
  };
}

/** Words for sh(1). */

/** A word in single quotes where a shell would take it apart. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** A word for a place that takes one line: what has line breaks is made by printf(1). Line breaks at its end are lost. */
export const shellWordInLine = (text: string): string =>
  /[\r\n]/.test(text)
    ? `"$(printf '%b' '${text.replaceAll('\\', '\\\\').replaceAll("'", '\\0047').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}')"`
    : shellWord(text);

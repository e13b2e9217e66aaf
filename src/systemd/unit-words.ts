/** How words stand in the lines of a unit: systemd.syntax(7), and systemd.service(5), "COMMAND LINES". */

/** One word of `Exec…=`: nothing in it is a specifier (%), a variable ($), a quote or the end of the line. */
export const commandWord = (text: string): string => quoted(text.replaceAll('$', '$$$$'));

/** The right side of a line of which systemd.unit(5) says that specifiers are resolved in it. */
export const plainValue = (text: string): string => text.replaceAll('%', '%%');

/** A path among others of a line: `RequiresMountsFor=`. */
export const pathWord = (text: string): string => quoted(text);

/** Whether a text can stand in a comment or a plain value, where nothing is quoted. */
export const isOneLine = (text: string): boolean => !/[\x00-\x1f\x7f]|\\$/.test(text);

function quoted(text: string): string {
  const escaped = text.replaceAll('%', '%%');
  if (/^[\w@+=:,./%$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replace(/["\\]/g, '\\$&').replace(/[\x00-\x1f\x7f]/g, hex)}"`;
}

const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** How values of a user stand in messages. */
import { escapeControls } from '../host/bytes.ts';

/** Enough to recognise a value by; an argument may have 128 KiB. */
const longest = 200;

/** A value in double quotes, control characters escaped, cut if it is very long. */
export function quote(text: string): string {
  const escaped = escapeControls(text.slice(0, longest + 1));
  return escaped.length > longest ? `"${escaped.slice(0, longest)}…"` : `"${escaped}"`;
}

/** A value as a word of a command line to copy: in single quotes where a shell would take it apart. */
export function shellWord(text: string): string {
  const escaped = escapeControls(text);
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", "'\\''")}'`;
}

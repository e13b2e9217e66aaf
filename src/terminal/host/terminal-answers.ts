/**
 * What a terminal says by itself when a program asks: who it is, where its cursor is, which colours it has. All who are attached see the question, and one may answer; so
 * the answers of the others are taken out of what they send. Each comes whole, as terminals write them at once.
 */

const parts = [
  // DA1, DA2, DA3 (the last by DCS); DSR
  '\\x1b\\[[?>=][0-9;]*c',
  '\\x1b\\[0n',
  // CPR; with row 1 and a column of 2 to 16 it is F3 with modifiers more often.
  '\\x1b\\[(?!1;(?:[2-9]|1[0-6])R)\\??[0-9]+;[0-9]+(?:;[0-9]+)?R',
  // DECRPM, kitty's keyboard flags, reports of windows
  '\\x1b\\[\\??[0-9;]+\\$y',
  '\\x1b\\[\\?[0-9]+u',
  '\\x1b\\[[0-9]+;[0-9]+(?:;[0-9]+)?t',
  // OSC, DCS and APC: no key sends one.
  '\\x1b[\\]P_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)',
];
const answers = new RegExp(parts.join('|'), 'g');

/** Without the answers: what a user typed. */
export function withoutAnswers(bytes: Buffer): Buffer {
  if (!bytes.includes(0x1b)) return bytes;
  const text = bytes.toString('latin1');
  const rest = text.replace(answers, '');
  return rest.length === text.length ? bytes : Buffer.from(rest, 'latin1');
}

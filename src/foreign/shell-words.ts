/** Command lines as a POSIX shell takes them apart: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html */

/**
 * The words of a line: quotes and backslashes as in sh, nothing expanded; as Python's shlex.split has it. Null if a quote is not closed, or a
 * backslash ends the line.
 */
export function splitWords(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!;
    if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    const [part, end] = readPart(line, at);
    if (part === null) return null;
    word = (word ?? '') + part;
    at = end;
  }
  return word === null ? words : [...words, word];
}

/** A quoted part, an escaped letter or a plain one: what it stands for, and where it ends. */
function readPart(line: string, at: number): [part: string | null, end: number] {
  const letter = line[at]!;
  if (letter === '\\') return at + 1 < line.length ? [line[at + 1]!, at + 1] : [null, at];
  if (letter === "'") {
    const end = line.indexOf("'", at + 1);
    return end < 0 ? [null, at] : [line.slice(at + 1, end), end];
  }
  if (letter !== '"') return [letter, at];
  let part = '';
  for (let next = at + 1; next < line.length; next++) {
    if (line[next] === '"') return [part, next];
    if (line[next] === '\\' && /["\\$`\n]/.test(line[next + 1] ?? '')) next += 1;
    part += line[next];
  }
  return [null, at];
}

/** Words that only a shell knows, or that change the shell that goes on. */
const ofShell = new Set(
  '! . : [ [[ alias bg break case cd command continue do done eval exec exit export fg fi for getopts hash if jobs local popd pushd read readonly return select set shift shopt source test then time times trap type ulimit umask unalias unset until wait while'.split(
    ' ',
  ),
);

/** The words of a line of which a shell makes no more than words, so that none is needed; null for any other line. */
export function plainWords(line: string): readonly string[] | null {
  if (!isPlain(line)) return null;
  const words = splitWords(line.trim());
  if (words === null || words.length === 0) return null;
  // The shell would give way to it.
  const isGiven = words[0] === 'exec' && words.length > 1 && !words[1]!.startsWith('-');
  const named = isGiven ? words.slice(1) : words;
  const [head] = named as [string];
  return ofShell.has(head) || head === '' || head.includes('=') ? null : named;
}

/** Nothing in it is expanded, and nothing ends the command. */
function isPlain(line: string): boolean {
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!;
    if (quote === "'") {
      if (letter === quote) quote = null;
    } else if (letter === '\\') at += 1;
    else if (/[`$\n]/.test(letter)) return false;
    else if (letter === quote) quote = null;
    else if (quote === null && /['"]/.test(letter)) quote = letter;
    else if (quote === null && /[|&;<>()*?[\]{}~#!]/.test(letter)) return false;
  }
  return quote === null;
}

/** The value of `command` for a line that is written for a shell. A text is run by sh; a line that looks like a path is not. */
export function commandOf(line: string, shell: readonly string[] = ['sh', '-c']): string | readonly string[] {
  const text = line.trim();
  const words = plainWords(text);
  if (words !== null) return words;
  const isOurs = shell.join(' ') === 'sh -c' && /\s/.test(text) && !/^\.{0,2}\//.test(text);
  return isOurs ? text : [...shell, text];
}

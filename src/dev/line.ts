/** The command line of `stead dev`, as nodemon reads its own: what it doesn't know is for the program, in its place before or behind the script. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Flag, type ParsedLine, parseLine } from '../config/parse.ts';
import { leadingFlags, trailingFlags } from './flags.ts';

/** `words` are those for the program, the script among them; `rest` comes after `--`. */
export function parseDevLine(argv: readonly string[], common: readonly Flag[], cwd = process.cwd()): ParsedLine {
  let hasScript = false;
  return parseLine(argv, [...leadingFlags, ...common], {
    keepsStrays: true,
    flagsAfter(word, values) {
      hasScript ||= isTarget(word, typeof values.cwd === 'string' ? resolve(cwd, values.cwd) : cwd);
      return hasScript ? trailingFlags : null;
    },
  });
}

/** A file or a directory that is there. */
export const isTarget = (word: string, cwd: string): boolean => !word.startsWith('-') && existsSync(resolve(cwd, word));

export interface ProgramWords {
  readonly before: readonly string[];
  readonly script: string | null;
  readonly args: readonly string[];
}

/** The script is the first word that is there as a file; else the first word if it is no option; else there is none. */
export function divideWords({ words, rest }: Pick<ParsedLine, 'words' | 'rest'>, cwd: string): ProgramWords {
  const behind = rest ?? [];
  const at = words.findIndex((word) => isTarget(word, cwd));
  if (at >= 0) return { before: words.slice(0, at), script: words[at]!, args: [...words.slice(at + 1), ...behind] };
  if (words.length > 0 && !words[0]!.startsWith('-'))
    return { before: [], script: words[0]!, args: [...words.slice(1), ...behind] };
  if (words.length === 0 && behind.length > 0 && isTarget(behind[0]!, cwd))
    return { before: [], script: behind[0]!, args: behind.slice(1) };
  return { before: words, script: null, args: behind };
}

/** What the writers of other tools' files are given, and what they make. */
import { escapeControls } from '../host/bytes.ts';
import type { AppSpec } from '../protocol/spec.ts';

/** An app as it goes out. `outgoing.ts` makes it of a spec. */
export interface Outgoing {
  readonly spec: AppSpec;
  /** What is executed, as the program sees it but for its first word: that is a path, if it was found. */
  readonly argv: readonly string[];
  /** The variables that are written, each once. What comes from files and secrets is not among them. */
  readonly env: ReadonlyMap<string, string>;
  /** Variables whose values are kept back, as they look secret. */
  readonly withheld: readonly string[];
  /** The PATH that it has; null: none. */
  readonly path: string | null;
  /** Null: it is to run; else why it doesn't, in words. */
  readonly idle: string | null;
}

export interface WrittenFile {
  readonly name: string;
  readonly text: string;
  /** It has values of an environment: nobody else may read it. */
  readonly isPrivate: boolean;
}

export interface Written {
  /** The first is what goes to stdout, if only one can. */
  readonly files: readonly WrittenFile[];
  /** What a person must know, and the files have no place for. */
  readonly notes: readonly string[];
  /** The others only go with the first file. */
  readonly isFirstEnough?: boolean;
}

/** Notes that stand as comments: none of their lines ends the comment. */
export const commentLines = (notes: readonly string[], mark = '#'): string[] =>
  notes.flatMap((note) => note.split(/[\r\n\u2028\u2029]+/)).map((line) => `${mark} ${escapeControls(line)}`.trimEnd());

/** What terminals are seen to be: by who is attached, and by who only asks. */

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** How the program ended: a code, or a signal's name, or neither where it can't be known; `reason` in words. */
export interface SessionExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
}

export interface Captured extends Size {
  readonly text: string;
  /** From 0. */
  readonly cursor: { readonly row: number; readonly col: number; readonly visible: boolean };
  readonly title: string;
  readonly alternate: boolean;
  /** How the program ended; null while it runs. */
  readonly exit: SessionExit | null;
}

export interface Waited {
  readonly matched: boolean;
  /** The line that matched. */
  readonly line: string | null;
  readonly exit: SessionExit | null;
}

import type { Size } from '../frames-messages.ts';

/** What the host needs of a terminal's screen: `Screen` of `../screen/screen.ts`, or a test's stand-in. */
export interface HostScreen {
  /** False: answers to queries are dropped. */
  answers: boolean;
  readonly size: Size;
  readonly cursor: { readonly row: number; readonly col: number; readonly visible: boolean };
  readonly title: string;
  readonly alternate: boolean;
  /** The program asked for arrows as SS3 (DECCKM). */
  readonly applicationCursor: boolean;
  /** Resolves when all is parsed; the next call waits for that. */
  feed(bytes: Buffer): Promise<void>;
  resize(size: Size): void;
  /** What rebuilds it in a terminal of its size; without `wraps` in one of another width. */
  snapshot(options: { readonly scrollback: number; readonly wraps?: boolean }): Buffer;
  capture(options: { readonly ansi: boolean; readonly lines: number | null }): string;
  /** Of a snapshot: what was there goes. */
  rebuild(snapshot: Buffer): Promise<void>;
  dispose(): void;
}

export interface ScreenOptions extends Size {
  readonly scrollback: number;
  onAnswer(bytes: Buffer): void;
  onTitle(title: string): void;
}

export type MakeScreen = (options: ScreenOptions) => HostScreen;

/** One thing that `doctor` found, and what it looked at. */
import { readFileSync } from 'node:fs';
import type { DaemonView } from '../protocol/api.ts';

export interface Finding {
  /** `ok`; `note`: good to know; `warning`: something will not work as hoped; `problem`: something is wrong. */
  readonly level: 'ok' | 'note' | 'warning' | 'problem';
  readonly about: string;
  readonly text: string;
  /** What mends it; null where nothing has to or can be. */
  readonly mend: string | null;
}

export interface Examined {
  readonly home: string;
  readonly version: string;
  /** Null if no daemon answers. */
  readonly daemon: DaemonView | null;
  readonly env: NodeJS.ProcessEnv;
}

export const ok = (about: string, text: string): Finding => ({ level: 'ok', about, text, mend: null });
export const finding = (level: Finding['level'], about: string, text: string, mend: string | null = null): Finding => ({
  level,
  about,
  text,
  mend,
});

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

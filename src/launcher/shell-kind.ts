import { realpathSync } from 'node:fs';
import { basename } from 'node:path';

/** Shells whose handling of an inherited environment is known (docs/launcher-contract.md); any other is trusted with nothing. */
export type ShellKind = 'dash' | 'busybox' | 'bash' | 'other';

const known: ReadonlySet<string> = new Set<ShellKind>(['dash', 'busybox', 'bash']);

/** Which shell a path leads to, by the name of the file behind its links: `/bin/sh` is `dash` on Debian, `busybox` on Alpine. */
export function shellKind(path: string): ShellKind {
  let name: string;
  try {
    name = basename(realpathSync(path));
  } catch {
    return 'other';
  }
  return known.has(name) ? (name as ShellKind) : 'other';
}

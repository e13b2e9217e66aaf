/** Here each app has a log file for itself: two programs that rotate one would lose lines of each other. */
import { resolve } from 'node:path';
import { quote } from '../config/values.ts';
import type { Foreign, ForeignApp } from './model.ts';

/** The first one keeps the file; the others have the log that every app has, and a note. `base`: what relative paths are relative to. */
export function separateLogs({ apps, notes }: Foreign, base: string): Foreign {
  const owners = new Map<string, string>();
  return { notes, apps: apps.map((app) => separated(app, owners, base)) };
}

function separated({ stanza, notes }: ForeignApp, owners: Map<string, string>, base: string): ForeignApp {
  const name = String(stanza.name);
  const kept: Record<string, unknown> = { ...stanza };
  const said: string[] = [];
  for (const key of ['log_out', 'log_err']) {
    const file = kept[key];
    if (typeof file !== 'string' || file === 'none') continue;
    const owner = owners.get(resolve(base, file));
    owners.set(resolve(base, file), owner ?? name);
    if (owner === undefined) continue;
    delete kept[key];
    said.push(`${quote(file)} is a log of ${owner}; this one has a log of its own, and stead logs shows both as one.`);
  }
  return { stanza: kept, notes: [...notes, ...said] };
}

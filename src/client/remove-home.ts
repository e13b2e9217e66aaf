import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkHome, homeId } from '../storage/home.ts';
import { sharedDirectory } from '../storage/layout.ts';

/** What stead itself puts into a home. */
const own =
  /^(apps|lib|notify|terminals|lock|stopped|pm2\.json|unit|ending|leave|daemon\.json|daemon\.log|events\.jsonl(?:\.1)?|stead\.sock|token|stead\.sock\.\d+)$/;
/** What holds the user's words: gone only with `purge`. */
const kept = /^(logs|config\.yaml)$/;

/**
 * Removes what stead put into a home, once nothing of it runs; with `purge` the logs and the configuration, too. Returns the names that stay. Throws
 * HOME_UNSAFE before anything is touched.
 */
export function removeHome(home: string, { purge }: { readonly purge: boolean }): readonly string[] {
  if (!checkHome(home)) return [];
  removeShared(sharedDirectory(homeId(home)));
  for (const name of readdirSync(home)) {
    if (own.test(name) || (purge && kept.test(name))) rmSync(join(home, name), { recursive: true, force: true });
  }
  const left = readdirSync(home);
  if (left.length === 0) rmdirSync(home);
  return existsSync(home) ? left : [];
}

/** Beside the home, for programs of other users. What is not ours is left alone. */
function removeShared(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.geteuid!())
    rmSync(path, { recursive: true, force: true });
}

import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkHome } from '../storage/home.ts';

/** What stead itself puts into a home. */
const own =
  /^(apps|lib|notify|lock|stopped|daemon\.json|daemon\.log|events\.jsonl(?:\.1)?|stead\.sock|token|stead\.sock\.\d+)$/;
/** What holds the user's words: gone only with `purge`. */
const kept = /^(logs|config\.yaml)$/;

/**
 * Removes what stead put into a home, once nothing of it runs; with `purge` the logs and the configuration, too. Returns the names that stay. Throws
 * HOME_UNSAFE before anything is touched.
 */
export function removeHome(home: string, { purge }: { readonly purge: boolean }): readonly string[] {
  if (!checkHome(home)) return [];
  for (const name of readdirSync(home)) {
    if (own.test(name) || (purge && kept.test(name))) rmSync(join(home, name), { recursive: true, force: true });
  }
  const left = readdirSync(home);
  if (left.length === 0) rmdirSync(home);
  return existsSync(home) ? left : [];
}

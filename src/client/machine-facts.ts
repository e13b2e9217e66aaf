/** What of this machine goes into files for other tools. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { lookUpUser } from '../programs/user.ts';

/** The user to whom a home belongs; null for root, or if there is none. */
export async function ownerOf(home: string): Promise<string | null> {
  const uid = statSync(home, { throwIfNoEntry: false })?.uid ?? process.geteuid!();
  // As root sees it: everybody else is another.
  return (await lookUpUser(String(uid), 0).catch(() => null))?.name ?? null;
}

/** Debian 12's: what units are written for where there is no systemd. */
const usualSystemd = 252;
const askTimeoutMs = 3000;

/** The version of this machine's systemd. */
export function systemdVersion(): Promise<number> {
  return new Promise((resolve) => {
    execFile('systemctl', ['--version'], { timeout: askTimeoutMs }, (_, stdout) =>
      resolve(Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? usualSystemd)),
    );
  });
}

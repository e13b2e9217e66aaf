/** What of this machine goes into files for other tools. */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
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

/** Of the file that Node programs with sockets of systemd's load first. `__dirname`: of the bundle of a command. */
export const listenText = (): string =>
  `// Written by stead: listen(PORT) takes the socket that systemd holds. Units beside it name it.\n${readFileSync(join(__dirname, '../stead-listen.cjs'), 'utf8')}`;

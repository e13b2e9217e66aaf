/** Users of the machine, as the name service knows them (LDAP and the like included). */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { SteadError } from '../protocol/errors.ts';
import type { UserSpec } from '../protocol/spec.ts';
import { quote } from './quote.ts';

/** A name service over a slow network; more than that hangs. */
const lookUpTimeoutMs = 5_000;

/**
 * The user of a name or number to run a program as; null if that is oneself and nothing has to change. Throws USER_UNKNOWN, or
 * NOT_PERMITTED for another user unless one is root.
 */
export async function lookUpUser(text: string, ownUid: number = process.geteuid!()): Promise<UserSpec | null> {
  const user = parsePasswd(await entryOf(text));
  if (user === null) {
    throw new SteadError('USER_UNKNOWN', `There is no user ${quote(text)} on this machine`, {
      hint: 'getent passwd lists them',
    });
  }
  if (user.uid === ownUid) return null;
  if (ownUid === 0) return user;
  throw new SteadError('NOT_PERMITTED', `Only root can run a program as another user (${quote(text)})`, {
    hint: 'leave out --user, or use sudo stead',
  });
}

/** passwd(5)'s line of a user; null for any other text. */
export function parsePasswd(line: string | null): UserSpec | null {
  const fields = line?.trimEnd().split(':') ?? [];
  const [name, , uid, gid, , home, shell] = fields;
  if (fields.length !== 7 || !name || !/^\d+$/.test(uid!) || !/^\d+$/.test(gid!)) return null;
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
}

/** The ids of groups by name or number. Throws USER_UNKNOWN. */
export async function lookUpGroups(names: readonly string[]): Promise<readonly number[]> {
  return Promise.all(names.flatMap((text) => text.split(',')).map(lookUpGroup));
}

async function lookUpGroup(text: string): Promise<number> {
  const gid = (await entryOf(text, 'group'))?.split(':')[2];
  if (gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  throw new SteadError('USER_UNKNOWN', `There is no group ${quote(text)} on this machine`, {
    hint: 'getent group lists them',
  });
}

async function entryOf(text: string, table: 'passwd' | 'group' = 'passwd'): Promise<string | null> {
  if (!/^[^-:\s\0][^:\s\0]{0,255}$/.test(text)) return null;
  return new Promise((resolve) => {
    execFile('getent', [table, text], { timeout: lookUpTimeoutMs }, (error, stdout) => {
      if (error === null) resolve(stdout.split('\n')[0] ?? null);
      else if (error.code === 'ENOENT') resolve(entryInFile(text, table));
      else resolve(null);
    });
  });
}

/** musl has no getent everywhere. */
async function entryInFile(text: string, table: string): Promise<string | null> {
  const lines = (await readFile(`/etc/${table}`, 'utf8').catch(() => '')).split('\n');
  const isIt = (line: string) => line.startsWith(`${text}:`) || (/^\d+$/.test(text) && line.split(':')[2] === text);
  return lines.find(isIt) ?? null;
}

/** Users of this machine, and acting as one of them. */
import { spawnSync } from 'node:child_process';
import { SteadError } from '../protocol/errors.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** By name or number, from the user database (also one in a directory service). Throws USER_UNKNOWN. */
export function findAccount(user: string): Account {
  const { stdout } = spawnSync('getent', ['passwd', '--', user], { encoding: 'utf8' });
  const [name, , uid, gid, , home] = (stdout ?? '').split('\n', 1)[0]!.split(':');
  if (name && home?.startsWith('/')) return { name, uid: Number(uid), gid: Number(gid), home };
  throw new SteadError('USER_UNKNOWN', `There is no user ${JSON.stringify(user)} with a home directory.`, {
    hint: 'getent passwd lists them',
  });
}

/** Runs a command to its end as a user, in an environment that is that user's own. What it said is one line. */
export function runAs(
  { name, uid, gid, home: base }: Account,
  home: string,
  words: readonly string[],
): { readonly code: number | null; readonly said: string } {
  const isMe = uid === process.getuid?.();
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--inh-caps=-all', '--'];
  const [command, ...rest] = isMe ? words : [...become, ...words];
  const { PATH, LANG } = process.env;
  const env = { PATH, HOME: base, USER: name, LOGNAME: name, STEAD_HOME: home, ...(LANG && { LANG }) };
  const result = spawnSync(command!, rest, {
    encoding: 'utf8',
    cwd: '/',
    env: isMe ? { ...process.env, STEAD_HOME: home } : env,
  });
  const text = `${result.stderr ?? ''}${result.error?.message ?? ''}`;
  return { code: result.status, said: text.trim().replaceAll(/\s*\n\s*/g, '; ') };
}

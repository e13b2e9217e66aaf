/** Whose home this is: under sudo it is easily another one than meant, and writing as root into a user's home breaks it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SteadError } from '../protocol/errors.ts';

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** Throws HOME_UNSAFE if the home is another user's, or would be made in another user's directory under sudo. */
export function assertWritable(home: string, env: NodeJS.ProcessEnv = process.env): void {
  const owner = ownerOf(home) ?? (env.SUDO_UID === undefined ? undefined : ownerOf(dirname(home)));
  const me = process.geteuid!();
  const isForeign = owner !== undefined && owner !== me && (existsSync(home) || String(owner) === env.SUDO_UID);
  if (!isForeign) return;
  const name = nameOf(owner);
  throw new SteadError(
    'HOME_UNSAFE',
    `${home} belongs to ${name}, and you are ${nameOf(me)}: nothing is changed in it`,
    {
      hint:
        me === 0
          ? `sudo -u ${name} stead …, or for root's own apps sudo -H stead …`
          : 'unset STEAD_HOME, or set your own',
    },
  );
}

/** What `list` says beside the table where it may be another list than meant; undefined for the plain case. */
export function ownershipNote(home: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const owner = ownerOf(home);
  const isForeign = owner !== undefined && owner !== process.geteuid!();
  if (!isForeign && env.SUDO_USER === undefined) return undefined;
  const others = accounts().filter(
    ({ home: base, uid }) => uid !== owner && join(base, '.stead') !== home && hasApps(base),
  );
  const whose = `This is ${owner === undefined ? '' : `${nameOf(owner)}'s home, `}${home}.`;
  const also = [...new Set(others.map(({ name }) => name))];
  return also.length === 0
    ? whose
    : `${whose} Apps of their own have: ${also.join(', ')} (sudo -u ${also[0]} stead list).`;
}

const hasApps = (base: string) => existsSync(join(base, '.stead', 'apps'));

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.uid;
  } catch {
    // A directory on the way may not be entered: what acts says so.
    return undefined;
  }
}

function nameOf(uid: number): string {
  return accounts().find((account) => account.uid === uid)?.name ?? `uid ${uid}`;
}

function accounts(): readonly Account[] {
  const lines = readPasswd()
    .split('\n')
    .map((line) => line.split(':'));
  return lines.flatMap(([name, , uid, , , home]) =>
    name && home?.startsWith('/') ? [{ name, uid: Number(uid), home }] : [],
  );
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

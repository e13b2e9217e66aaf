/** A config says what is run as whom: read as root it must be root's, or at least nobody else's to change. */
import { type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SteadError } from '../../protocol/errors.ts';

export interface Trust {
  /** It is run, not only read. */
  readonly isCode: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly euid: number;
}

/** Throws CONFIG_INVALID for a file that others may write, or that is another user's code. What is only odd is returned, as a note. */
export function checkTrust(file: string, { isCode, env, euid }: Trust): string | null {
  if (euid !== 0) return null;
  const stats = statSync(file);
  const shown = JSON.stringify(basename(file));
  if (isOpen(stats)) throw refused(`${shown} may be written by everybody`, `chmod o-w ${file}`);
  const directory = statSync(dirname(file));
  if (isOpen(directory) && (directory.mode & 0o1000) === 0)
    throw refused(`${shown} lies where everybody may write`, `chmod o-w ${dirname(file)}`);
  if (stats.uid === 0 || String(stats.uid) === env.SUDO_UID) return null;
  if (isCode && env.STEAD_TRUST_CONFIG !== '1')
    throw refused(
      `${shown} is code of the user ${stats.uid}, and would be run as root`,
      `chown root ${file}, or STEAD_TRUST_CONFIG=1 stead …`,
    );
  return isCode ? null : `${shown} belongs to the user ${stats.uid}, and says what root runs.`;
}

const isOpen = ({ mode }: Stats): boolean => (mode & 0o002) !== 0;

const refused = (what: string, hint: string): SteadError =>
  new SteadError('CONFIG_INVALID', `${what}: as root it is not used`, { hint });

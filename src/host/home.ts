/**
 * The home: the directory in which all of one user's stead lives, and the addresses in it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** `$STEAD_HOME`, else `~/.stead`; without HOME the home directory of the user database. Absolute, links unresolved. */
export function resolveHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.STEAD_HOME) return resolve(env.STEAD_HOME);
  const base = env.HOME && isAbsolute(env.HOME) ? env.HOME : userInfo().homedir;
  return join(base, '.stead');
}

/** Linux's sun_path holds 108 bytes with the final NUL. */
const longestSocketPath = 107;

/**
 * The path by which the home's socket (or another name in it) can be bound and reached, whatever the home's length: through an open
 * directory where it is too long. Call `close` when connected or bound.
 */
export function socketAddress(home: string, name = 'stead.sock'): { readonly path: string; close(): void } {
  const path = join(home, name);
  if (Buffer.byteLength(path) <= longestSocketPath) return { path, close() {} };
  const fd = openSync(home, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) };
}

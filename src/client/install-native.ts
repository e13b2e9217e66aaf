import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { nativeFile, nativePackage } from '../host/native.ts';

/**
 * Puts koffi's shared object beside the daemon's copy in a home. It is an optional package, and few features need it: where it can't be had, those features say
 * so when they are asked for, and nothing else is any different.
 */
export function installNative(library: string): void {
  const target = join(library, nativeFile);
  if (existsSync(target)) return;
  const beside = `${target}.${process.pid}`;
  try {
    copyFileSync(sharedObject(), beside);
    chmodSync(beside, 0o600);
    renameSync(beside, target);
  } catch {
    rmSync(beside, { force: true });
  }
}

/** In the installed package, for the C library that this Node runs with: the daemon runs with the same. Throws if there is none. */
function sharedObject(): string {
  const folder = dirname(createRequire(__filename).resolve(`${nativePackage}/package.json`));
  const isMusl = readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-');
  return join(folder, `${isMusl ? 'musl' : 'linux'}_${process.arch}`, nativeFile);
}

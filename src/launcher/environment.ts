/**
 * How an environment gets through the launcher's shell unchanged. What a shell would drop, rewrite, obey or add to is kept from it as an
 * "odd" entry, which env(1) puts back as the last step before the program; that costs an exec, so in dash and busybox it is done for what needs
 * it alone. bash rewrites so much that it gets nothing of the program's environment: env(1) makes it from nothing. So does a shell that isn't
 * known. What each shell does is listed in docs/launcher-contract.md.
 */
import type { ShellKind } from './shell-kind.ts';

export interface LauncherEnvironment {
  /** `NAME=value` entries that the shell passes on by itself. Empty: the program's environment is made from the odd ones alone. */
  readonly entries: string[];
  /** Entries that go as settings `_stead_odd_1` … and are put back by env(1). */
  readonly odd: string[];
  /** Names that the shell exports by itself and the program must not have. */
  readonly unset: string[];
}

export interface ShellPlace {
  readonly shell: ShellKind;
  readonly cwd: string;
  /** Names that the launcher sets. */
  readonly pidNames?: readonly string[];
}

/** Names that these shells keep for themselves or read numbers from: as found in dash 0.5.12 and busybox 1.35, and some to be safe in others. */
const rewritten: Readonly<Record<'dash' | 'busybox', ReadonlySet<string>>> = {
  dash: new Set(['IFS', 'LINENO', 'OPTIND', 'PPID']),
  busybox: new Set(['EPOCHREALTIME', 'EPOCHSECONDS', 'FUNCNAME', 'IFS', 'LINENO', 'OPTIND', 'PPID', 'RANDOM', 'SHLVL']),
};

const addedBy = { dash: ['PWD'], busybox: ['PATH', 'PWD', 'SHLVL'] } as const;

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** The launcher's own, and what the loader and libc obey: that is meant for the program alone. */
const notForTheShell = /^(?:_stead_|LD_|MALLOC_|GLIBC_TUNABLES$)/;

/** A name that the launcher can export, or give to env(1) as a word. */
const isSettable = (name: string): boolean =>
  identifier.test(name) && !notForTheShell.test(name) && Object.values(rewritten).every((names) => !names.has(name));

/**
 * Divides a program's environment (`NAME=value` entries) for a launcher that runs in `cwd` under such a shell. Of entries with one name the
 * first counts, as with getenv(3); an entry without a name or `=` can't be passed on and is left out, as are those that shall hold the
 * program's pid, by `pidNames`.
 */
export function launcherEnvironment(
  env: readonly string[],
  { shell, cwd, pidNames = [] }: ShellPlace,
): LauncherEnvironment {
  const unfit = pidNames.find((name) => !isSettable(name));
  if (unfit !== undefined) throw new Error(`no launcher can set ${unfit}`);
  const byName = new Map<string, string>();
  for (const entry of env) {
    const name = entry.slice(0, Math.max(0, entry.indexOf('=')));
    if (name !== '' && !pidNames.includes(name) && !byName.has(name)) byName.set(name, entry);
  }
  if (shell === 'bash' || shell === 'other') return { entries: [], odd: [...byName.values()], unset: [] };
  const isOdd = (name: string, entry: string) =>
    !identifier.test(name) ||
    notForTheShell.test(name) ||
    rewritten[shell].has(name) ||
    // A shell corrects a PWD that isn't the directory it is in.
    (name === 'PWD' && entry !== `PWD=${cwd}`);
  const all = [...byName];
  return {
    entries: all.filter(([name, entry]) => !isOdd(name, entry)).map(([, entry]) => entry),
    odd: all.filter(([name, entry]) => isOdd(name, entry)).map(([, entry]) => entry),
    unset: addedBy[shell].filter((name) => !byName.has(name)),
  };
}

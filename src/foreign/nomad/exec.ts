/**
 * What a task executes. The driver raw_exec runs programs of the machine where they lie; it knows no directory, umask, limits or secrets of files: a shell before the
 * program sets these, and is replaced by it.
 */
import { parseLimit } from '../../config/grammar.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { baseOf } from '../outgoing.ts';
import { shellWord } from '../shell.ts';
import type { Outgoing } from '../written.ts';

export interface RawExec {
  readonly command: string;
  readonly args: readonly string[];
}

export function rawExec(app: Outgoing): RawExec {
  const { nice } = app.spec;
  const last = nice === 0 ? 'exec "$@"' : `exec nice -n ${nice} "$@"`;
  return { command: '/bin/sh', args: ['-c', [...settings(app), last].join(' && '), 'sh', ...app.argv] };
}

function settings(app: Outgoing): string[] {
  const { spec } = app;
  const { cwd, share, options } = spec;
  const base = baseOf(app);
  return [
    `cd ${shellWord(cwd)}`,
    ...(options.umask === undefined ? [] : [`umask 0${options.umask.toString(8)}`]),
    ...limitCommands(spec),
    ...(share.incrementVar === null || base === null
      ? []
      : [`export ${share.incrementVar}=$((${base} + NOMAD_ALLOC_INDEX))`]),
  ];
}

/** Of ulimit in a POSIX shell: the name, and how many of prlimit(1)'s units are one of its. */
const ulimits: Readonly<Record<string, readonly [flag: string, unit: number]>> = {
  core: ['c', 512],
  cpu: ['t', 1],
  data: ['d', 1024],
  fsize: ['f', 512],
  nofile: ['n', 1],
  stack: ['s', 1024],
  as: ['v', 1024],
};

const limitCommands = ({ options }: AppSpec): string[] =>
  (options.limit ?? []).flatMap((text) => {
    const [name, [soft]] = parseLimit(text, '--limit');
    const [flag, unit] = ulimits[name] ?? [];
    return flag === undefined ? [] : [`ulimit -${flag} ${soft === null ? 'unlimited' : Math.floor(soft / unit!)}`];
  });

/** Limits that no shell sets. */
export const lostLimits = ({ options }: AppSpec): string[] =>
  (options.limit ?? []).filter((text) => !Object.hasOwn(ulimits, parseLimit(text, '--limit')[0]));

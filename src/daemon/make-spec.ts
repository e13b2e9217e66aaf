import { checkOptions } from '../config/check.ts';
import { signalNumber } from '../host/signals.ts';
import type { Resolved } from '../programs/resolve.ts';
import { lookUpUser } from '../programs/user.ts';
import type { Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { type AppSpec, type SpecOptions, specFormat, type UserSpec } from '../protocol/spec.ts';

const defaultStopTimeoutMs = 10_000;
const defaultStableAfterMs = 10_000;
const defaultLeaveTimeoutMs = 10_000;

export interface SpecSource {
  readonly kind: 'app' | 'job';
  readonly resolved: Resolved;
  readonly options: SpecOptions;
  readonly caller: Caller;
}

/** What was asked for, with every default filled in. Throws for a user or a signal that there isn't. */
export async function makeSpec({ kind, resolved, options, caller }: SpecSource): Promise<AppSpec> {
  const user = options.user === undefined ? null : await lookUpUser(options.user);
  return {
    format: specFormat,
    name: resolved.name,
    kind,
    group: options.group ?? null,
    program: resolved.program,
    cwd: resolved.cwd,
    env: user === null ? resolved.env : environmentOf(user, resolved.env),
    umask: options.umask ?? caller.umask,
    limits: caller.limits,
    nice: options.nice ?? caller.nice,
    oomScoreAdj: caller.oomScoreAdj,
    user,
    noNewPrivs: options.noNewPrivs ?? false,
    restart: options.restart ?? (kind === 'app' ? 'always' : 'no'),
    stopExitCodes: options.stopExitCodes ?? [],
    maxRestarts: options.maxRestarts ?? null,
    stableAfterMs: options.stableAfterMs ?? defaultStableAfterMs,
    stopSignal: checkedSignal(options.stopSignal ?? 'SIGTERM'),
    stopTimeoutMs: options.stopTimeoutMs ?? defaultStopTimeoutMs,
    keepTree: options.keepTree ?? false,
    leaveTimeoutMs: options.leaveTimeoutMs ?? defaultLeaveTimeoutMs,
  };
}

/** The request's caller, if it has the form. Throws BAD_REQUEST. */
export function checkedCaller(value: unknown): Caller {
  const caller = value as Caller | null;
  const isText = (item: unknown) => typeof item === 'string' && !item.includes('\0');
  const isWithin = (least: number, most: number, number: unknown) =>
    Number.isInteger(number) && (number as number) >= least && (number as number) <= most;
  const isRight =
    typeof caller === 'object' &&
    caller !== null &&
    isText(caller.cwd) &&
    caller.cwd.startsWith('/') &&
    Array.isArray(caller.env) &&
    caller.env.every(isText) &&
    isWithin(0, 0o777, caller.umask) &&
    isWithin(-20, 19, caller.nice) &&
    isWithin(-1000, 1000, caller.oomScoreAdj) &&
    isLimits(caller.limits);
  if (!isRight)
    throw new SteadError(
      'BAD_REQUEST',
      '"caller" must hold cwd, env, umask, limits, nice, oomScoreAdj, pid and command.',
    );
  return caller;
}

/** `{ nofile: [1024, null] }`: names as prlimit(1) has them, which gets them as words. */
function isLimits(limits: unknown): boolean {
  const isLimit = (limit: unknown) => limit === null || (Number.isInteger(limit) && (limit as number) >= 0);
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isLimit);
  return (
    typeof limits === 'object' &&
    limits !== null &&
    !Array.isArray(limits) &&
    Object.entries(limits).every(([name, pair]) => /^[a-z]{1,20}$/.test(name) && isPair(pair))
  );
}

/** Options as the API took them. */
export const checkedOptions = checkOptions;

function checkedSignal(name: string): string {
  if (signalNumber(name) !== null) return name;
  throw new SteadError('SIGNAL_UNKNOWN', `There is no signal "${name}".`, { hint: 'kill -l lists them' });
}

/** The caller's environment, but of the user: as login(1) would set it. */
function environmentOf(user: UserSpec, env: readonly string[]): readonly string[] {
  const own = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
  const names = Object.keys(own);
  return [
    ...env.filter((entry) => !names.some((name) => entry.startsWith(`${name}=`))),
    ...Object.entries(own).map(([k, v]) => `${k}=${v}`),
  ];
}

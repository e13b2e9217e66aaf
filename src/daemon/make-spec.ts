/** Turns what was said into a spec: options, what the caller has, and what is looked up on this machine. */
import { resolve as resolvePath } from 'node:path';
import { checkOptions } from '../config/check.ts';
import { absoluteListen } from '../config/listen.ts';
import { settle } from '../config/settle.ts';
import { readEnvFiles } from '../programs/env-file.ts';
import { mergeEnvironment } from '../programs/environment.ts';
import type { Resolved } from '../programs/resolve.ts';
import { lookUpGroups, lookUpUser } from '../programs/user.ts';
import type { Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { type AppSpec, type SpecOptions, specFormat, type UserSpec } from '../protocol/spec.ts';
import { checkEnforceable, type Enforcement } from './enforce.ts';
import { linearMatcher } from './readiness.ts';
import { checkSchedule } from './schedule.ts';

export interface SpecSource {
  readonly kind: 'app' | 'job';
  readonly resolved: Resolved;
  readonly options: SpecOptions;
  readonly caller: Caller;
  readonly origin?: string | null;
}

/** What was asked for, with every default filled in. Throws for a user, a group or a file that there isn't, and for what this machine can't enforce. */
export async function makeSpec(
  { kind, resolved, options: said, caller, origin = null }: SpecSource,
  enforcement: Enforcement,
): Promise<AppSpec> {
  const options = withAbsolutePaths(said, caller.cwd);
  const { umask, limits, nice, oomScoreAdj } = caller;
  const inherited = { umask, limits, nice, oomScoreAdj };
  const identity = {
    format: specFormat,
    name: resolved.name,
    kind,
    program: resolved.program,
    inherited,
    origin,
  } as const;
  const given = mergeEnvironment(await readEnvFiles(options.envFile ?? []), options.env ?? []);
  return settleAll(
    { ...identity, cwd: resolved.cwd, env: mergeEnvironment(resolved.env, given) },
    options,
    enforcement,
  );
}

type Unsettled = Pick<AppSpec, 'format' | 'name' | 'kind' | 'program' | 'inherited' | 'origin' | 'cwd' | 'env'>;

/** The same app with other options in place of those that it had. */
export function changeSpec(spec: AppSpec, options: SpecOptions, enforcement: Enforcement): Promise<AppSpec> {
  const { format, name, kind, program, inherited, origin, cwd, env } = spec;
  // What was said before was relative to where that was.
  const place = options.cwd === undefined || options.cwd === spec.options.cwd ? cwd : options.cwd;
  return settleAll({ format, name, kind, program, inherited, origin, cwd: place, env }, options, enforcement);
}

async function settleAll(base: Unsettled, options: SpecOptions, enforcement: Enforcement): Promise<AppSpec> {
  const settled = settle(options, base);
  const user = options.user === undefined ? null : await lookUpUser(options.user);
  const groups = options.groups === undefined ? null : await lookUpGroups(options.groups);
  const spec: AppSpec = {
    ...base,
    ...settled,
    env: user === null ? base.env : environmentOf(user, base.env),
    user,
    groups,
    envFiles: options.envFile ?? [],
    options,
  };
  if (Object.hasOwn(spec.dependsOn, spec.name) || spec.after.includes(spec.name))
    throw new SteadError('DEPENDENCY_CYCLE', `"${spec.name}" can't wait for itself.`);
  checkSchedule(spec);
  if (spec.ready?.kind === 'log') await checkPattern(spec.ready.pattern);
  checkEnforceable(spec, enforcement);
  return spec;
}

async function checkPattern(pattern: string): Promise<void> {
  try {
    await linearMatcher(pattern);
  } catch (error) {
    throw new SteadError(
      'OPTION_INVALID',
      `--ready log: ${JSON.stringify(pattern)} is no pattern: ${(error as Error).message}.`,
      {
        hint: 'patterns are those of RE2: no look-around, no back-references; \\ before ( [ . * makes them plain',
      },
    );
  }
}

/** Files are those of the caller's directory, wherever they are read again. */
function withAbsolutePaths(options: SpecOptions, cwd: string): SpecOptions {
  return {
    ...options,
    ...(options.envFile && { envFile: options.envFile.map((path) => resolvePath(cwd, path)) }),
    ...(options.logOut !== undefined && { logOut: absoluteLog(options.logOut, cwd) }),
    ...(options.listen && {
      listen: options.listen.map((text) => absoluteListen(text, (path) => resolvePath(cwd, path))),
    }),
    ...(options.logErr !== undefined && { logErr: absoluteLog(options.logErr, cwd) }),
    ...(options.secret && {
      secret: options.secret.map((text) =>
        text.replace(/^([^=]+=file:)(.*)$/s, (_, head, path) => head + resolvePath(cwd, path)),
      ),
    }),
  };
}

const absoluteLog = (path: string, cwd: string): string => (path === 'none' ? path : resolvePath(cwd, path));

/** Options as the API took them. */
export const checkedOptions = checkOptions;

/** The caller's environment, but of the user: as login(1) would set it. */
function environmentOf(user: UserSpec, env: readonly string[]): readonly string[] {
  const own = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
  const names = Object.keys(own);
  return [
    ...env.filter((entry) => !names.some((name) => entry.startsWith(`${name}=`))),
    ...Object.entries(own).map(([k, v]) => `${k}=${v}`),
  ];
}

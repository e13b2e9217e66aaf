/** A systemd as it is asked by its own commands: systemctl(1), loginctl(1). */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SteadError } from '../protocol/errors.ts';
import { oldestVersion, parseVersion } from './versions.ts';

export type Scope = 'system' | 'user';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  /** What it said, in one line. */
  readonly said: string;
}

/** A start waits until the daemon is ready, a stop until all apps have ended. */
const longestMs = 300_000;

/** Whether this machine was booted by systemd: sd_booted(3). */
export const isBooted = (): boolean => existsSync('/run/systemd/system');

/** `systemctl WORDS…`, whatever comes of it. Throws UNSUPPORTED where there is no systemctl. */
export function systemctl(scope: Scope, words: readonly string[]): Ran {
  return run('systemctl', [`--${scope}`, '--no-pager', '--no-ask-password', ...words], scope);
}

/** The same, and its failure is one of ours: `what` says what can't be done. */
export function systemctlOrThrow(scope: Scope, words: readonly string[], what: string): string {
  const { code, stdout, said } = systemctl(scope, words);
  if (code === 0) return stdout;
  if (isNoBus(said)) throw noManager(scope, said);
  const denied = /access denied|permission denied|authentication (?:is )?required|interactive/i.test(said);
  throw new SteadError(denied ? 'NOT_PERMITTED' : 'UNSUPPORTED', `${what}: systemctl ${words.join(' ')}: ${said}`, {
    hint: denied ? 'say it as root: sudo -E stead …' : `systemctl ${flag(scope)}status ${words.at(-1)}`,
  });
}

/** Of the systemd that would read a unit. Throws UNSUPPORTED if it can't be reached, or is too old. */
export function managerVersion(scope: Scope): number {
  const { stdout } = run('systemctl', ['--version'], scope);
  const version = parseVersion(stdout);
  if (version === null || version < oldestVersion)
    throw new SteadError(
      'UNSUPPORTED',
      `systemd ${version ?? '(of unknown version)'} is older than ${oldestVersion}: stead writes no unit for it.`,
      { hint: 'in crontab -e: @reboot stead daemon restart' },
    );
  const { code, said } = systemctl(scope, ['show', '--property=Version']);
  if (code !== 0) throw noManager(scope, said);
  return version;
}

/** Properties of a unit, by name; a unit that is not there has some as well. */
export function properties<Name extends string>(
  scope: Scope,
  unit: string,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const text = systemctlOrThrow(scope, ['show', `--property=${names.join(',')}`, unit], `${unit} can't be looked at`);
  const found = new Map(text.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ''])) as Record<Name, string>;
}

/** Whether a user's manager runs from boot on and outlives logouts. */
export const lingers = (user: string): boolean => existsSync(`/var/lib/systemd/linger/${user}`);

/** Asks logind for it; what it said if it would not. */
export function enableLinger(user: string): string | null {
  const { code, said } = run('loginctl', ['--no-ask-password', 'enable-linger', user], 'system');
  return code === 0 && lingers(user) ? null : said || 'nothing came of it';
}

/** `--user `, or nothing: for lines that people are to type. */
export const flag = (scope: Scope): string => (scope === 'user' ? '--user ' : '');

function run(command: string, words: readonly string[], scope: Scope): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    encoding: 'utf8',
    timeout: longestMs,
    env: scope === 'user' ? userEnvironment() : process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw new SteadError('UNSUPPORTED', `There is no ${command} on this machine.`, {
      hint: 'without systemd: in crontab -e: @reboot stead daemon restart',
    });
  const said = `${stderr ?? ''}${error?.message ?? ''}`.trim().replaceAll(/\s*\n\s*/g, '; ');
  return { code: status, stdout: stdout ?? '', said };
}

/** By su or sudo, and from cron, one has no XDG_RUNTIME_DIR, and the user's manager may be there all the same. */
function userEnvironment(): NodeJS.ProcessEnv {
  const directory = `/run/user/${process.getuid?.()}`;
  return process.env.XDG_RUNTIME_DIR || !existsSync(directory)
    ? process.env
    : { ...process.env, XDG_RUNTIME_DIR: directory };
}

const isNoBus = (said: string): boolean =>
  /Failed to connect to (?:the )?(?:user scope )?bus|not been booted with systemd/i.test(said);

function noManager(scope: Scope, said: string): SteadError {
  if (scope === 'system')
    return new SteadError('UNSUPPORTED', `systemd does not answer: ${said}`, {
      hint: 'is D-Bus there? as root it is not needed: sudo -E stead startup',
    });
  return new SteadError('UNSUPPORTED', `Your own systemd (systemctl --user) does not answer: ${said}`, {
    hint: 'log in by ssh or at the console, not by su or sudo; or as root: stead startup --user NAME',
  });
}

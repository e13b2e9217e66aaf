/** What a unit executes, and the environment that it does so in. */
import { baseOf, isNode } from '../../outgoing.ts';
import { shellWord } from '../../shell.ts';
import type { Outgoing } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { assignment, commandPath, commandWord, isAssignable, isPlainPath, plainValue } from './escape.ts';
import { isTemplate } from './instances.ts';
import { listenVariables, usesListenFile } from './listen.ts';
import { credentialsSince } from './versions.ts';

/** systemd's own, since version 230. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What is written with its value. */
export function variablesOf({ env, path }: Outgoing): readonly (readonly [name: string, value: string])[] {
  const hasPath = path !== null && path !== usualPath && !env.has('PATH');
  const all = [...(hasPath ? [['PATH', path] as const] : []), ...env];
  return all.filter(([name, value]) => isAssignable(name, value));
}

/** `Environment=`, `EnvironmentFile=`, `LoadCredential=`. */
export function environmentLines(app: Outgoing, context: SystemdContext): string[] {
  const { spec } = app;
  return [
    ...variablesOf(app)
      .filter(([name]) => name !== 'NODE_OPTIONS' || !usesListenFile(app))
      .map(([name, value]) => `Environment=${assignment(name, value)}`),
    ...listenVariables(app, context),
    ...(spec.share.instances === null ? [] : instanceVariables(app)),
    ...spec.envFiles.filter(isPlainPath).map((file) => `EnvironmentFile=${plainValue(file)}`),
    ...secretsOf(app).map(([name, file]) => `LoadCredential=${name}:${plainValue(file)}`),
  ];
}

/** As stead sets them; `%i` is what stands after the @ of a unit's name. */
const instanceVariables = (app: Outgoing): string[] =>
  [...(isNode(app) ? ['NODE_APP_INSTANCE'] : []), 'STEAD_INSTANCE'].map(
    (name) => `Environment=${name}=${isTemplate(app) ? '%i' : '0'}`,
  );

/** Those whose names a shell can set. */
export const secretsOf = ({ spec }: Outgoing): readonly (readonly [name: string, file: string])[] =>
  Object.entries(spec.secrets).filter(([name, file]) => /^[A-Za-z_]\w*$/.test(name) && isPlainPath(file));

/** `ExecStart=`. A shell before the program sets what a unit can't say, and is replaced by it. */
export function execStart(app: Outgoing, version: number): string {
  const { argv } = app;
  const before = settings(app, version);
  if (before.length === 0) return `ExecStart=${commandLine(argv)}`;
  const script = [...before, 'exec "$@"'].join(' && ');
  const index = countsUp(app) ? [isTemplate(app) ? '%i' : '0'] : [];
  // The index stands as it is: a specifier.
  return `ExecStart=${['/bin/sh -c', commandWord(script), 'sh', ...index, ...argv.map(commandWord)].join(' ')}`;
}

function settings(app: Outgoing, version: number): string[] {
  const { incrementVar } = app.spec.share;
  // An older systemd has no LoadCredential=: then the program's own user must be able to read it.
  const placeOf = (name: string, file: string) =>
    version < credentialsSince ? shellWord(file) : `"$CREDENTIALS_DIRECTORY/${name}"`;
  const secrets = secretsOf(app).map(([name, file]) => `${name}=$(cat ${placeOf(name, file)}) && export ${name}`);
  return countsUp(app) ? [`export ${incrementVar}=$((${baseOf(app)} + $1)) && shift`, ...secrets] : secrets;
}

const countsUp = (app: Outgoing): boolean => app.spec.share.incrementVar !== null && baseOf(app) !== null;

/** systemd refuses such a path, however it is written. */
const unsafe = /["'\\\x00-\x1f\x7f]/;

/** The program by its path; what isn't one was found nowhere, and env(1) looks for it. */
function commandLine(argv: readonly string[]): string {
  const [first = '', ...others] = argv.length > 0 ? argv : ['/bin/true'];
  const all = argv.map(commandWord).join(' ');
  if (!first.startsWith('/')) return `/usr/bin/env ${all}`;
  if (unsafe.test(first)) return `${shellLine('exec "$@"')} sh ${all}`;
  return [commandPath(first), ...others.map(commandWord)].join(' ');
}

/** `Exec…=` of a line for the shell. */
export const shellLine = (line: string): string => `/bin/sh -c ${commandWord(line)}`;

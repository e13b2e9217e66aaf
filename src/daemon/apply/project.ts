/** Names of a project's apps: as its config file has them, or `project/name` where an app of another file has that name already. */
import { isName, nameRule } from '../../programs/names.ts';
import type { Caller, ConfigApp } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Daemon } from '../context.ts';

/** Whose apps they are. */
export interface Place {
  readonly file: string;
  readonly project: string | null;
  readonly caller: Caller;
}

export function checkedProject(project: unknown): string | null {
  if (project === null || (typeof project === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(project)))
    return project;
  throw new SteadError('NAME_INVALID', `${JSON.stringify(project)} can't be the name of a project: ${nameRule}`);
}

/** What an app of the file is called. Throws NAME_TAKEN. */
export function nameIn(daemon: Daemon, name: string, { file, project }: Place): string {
  const isOthers = (one: string) => {
    const origin = daemon.apps.get(one)?.spec.origin ?? null;
    return origin !== null && origin !== file;
  };
  const scoped = project === null ? null : `${project}/${name}`;
  // Once scoped, always: also when the other one has gone.
  if (scoped !== null && daemon.apps.get(scoped)?.spec.origin === file) return scoped;
  if (!isOthers(name)) return name;
  if (scoped !== null && isName(name) && !isOthers(scoped)) return scoped;
  throw new SteadError(
    'NAME_TAKEN',
    `The name "${name}" is taken by an app of ${daemon.apps.get(name)!.spec.origin}.`,
    {
      hint: 'give one of them another name, or its config file another "project"',
    },
  );
}

/** What names apps of the same file names them as they are called. */
export function inProject(daemon: Daemon, apps: readonly ConfigApp[], place: Place): readonly ConfigApp[] {
  const names = new Map(
    apps.flatMap(({ options: { name } }) => (name === undefined ? [] : [[name, nameIn(daemon, name, place)]])),
  );
  if ([...names].every(([plain, name]) => plain === name)) return apps;
  const renamed = (text: string) => {
    const [, plain, rest] = /^([^:]*)(.*)$/s.exec(text)!;
    return `${names.get(plain!) ?? plain}${rest}`;
  };
  return apps.map((app) => {
    const { dependsOn, after } = app.options;
    const options = {
      ...app.options,
      ...(Array.isArray(dependsOn) && { dependsOn: dependsOn.map(renamed) }),
      ...(Array.isArray(after) && { after: after.map(renamed) }),
    };
    return { ...app, options };
  });
}

/**
 * pm2's ecosystem files: the value of one, from whatever it was read → our apps. Every field is honoured, or named in a note with the reason why it is not; a value of the
 * wrong type refuses the file. Source: pm2 7.0.4 as it behaves.
 */
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Foreign } from '../model.ts';
import { separateLogs } from '../separate-logs.ts';
import type { Values } from './fields.ts';
import { type ReadApp, readApp } from './read-app.ts';
import type { EcosystemContext } from './reading.ts';

const topKeys: readonly string[] = ['apps', 'pm2', 'deploy', 'static', '$schema'];

/** Throws CONFIG_INVALID that lists every mistake, and for a name of `only` that there isn't. */
export function readEcosystem(value: unknown, context: EcosystemContext): Foreign {
  const { apps: list, top } = listApps(value, context.file);
  const deployments = deploymentsOf(top.deploy);
  const read = list.map((app) => (isMap(app) ? readApp(app, { context, deployments }) : null));
  const chosen = choose(read, context);
  const mistakes = chosen.flatMap((app, at) =>
    app === null
      ? [`app ${at + 1} must be a map of fields`]
      : app.mistakes.map((mistake) => `${app.pm2Name}: ${mistake}`),
  );
  if (mistakes.length > 0) throw refused(context.file, mistakes);
  const apps = withOwnNames(chosen.filter((app) => app !== null));
  const plain = apps.map(({ stanza, notes }) => ({ stanza, notes }));
  return separateLogs({ apps: plain, notes: [...defaultNotes(apps), ...topNotes(top)] }, context.cwd);
}

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{apps: [...]}`, `{pm2: …}`, a list, a single app. */
export function listApps(value: unknown, file: string): { readonly apps: readonly unknown[]; readonly top: Values } {
  if (Array.isArray(value)) return { apps: value, top: {} };
  if (!isMap(value)) throw refused(file, ['it must hold apps: { apps: [...] }, a list of apps, or one app']);
  const apps = value.apps ?? value.pm2;
  if (apps === undefined) {
    const isApp = ['script', 'exec', 'cmd', 'command'].some((key) => key in value);
    if (isApp) return { apps: [value], top: {} };
    throw refused(file, ['there is no "apps" in it']);
  }
  if (Array.isArray(apps)) return { apps, top: value };
  if (isMap(apps)) return apps.apps === undefined ? { apps: [apps], top: value } : listApps(apps, file);
  throw refused(file, ['"apps" must be a list of apps']);
}

const refused = (file: string, mistakes: readonly string[]): SteadError =>
  new SteadError(
    'CONFIG_INVALID',
    `${quote(file)} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((each) => `  ${each}`).join('\n')}`,
    { hint: 'nothing was changed; docs/migrate/pm2.md tells which fields there are', details: { mistakes } },
  );

/** `deploy.production.env`, by `production`. */
function deploymentsOf(deploy: unknown): ReadonlyMap<string, Values> {
  const targets = isMap(deploy) ? Object.entries(deploy) : [];
  return new Map(targets.flatMap(([name, target]) => (isMap(target) && isMap(target.env) ? [[name, target.env]] : [])));
}

/** By the names that are asked for; what is no app at all is kept, to be told. */
function choose(apps: readonly (ReadApp | null)[], { only, file }: EcosystemContext): readonly (ReadApp | null)[] {
  if (only === null) return apps;
  const names = apps.flatMap((app) => (app === null ? [] : [app.pm2Name, String(app.stanza.name)]));
  const missing = only.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const near = nearest(missing[0]!, names);
    throw new SteadError('APP_NOT_FOUND', `There is no ${missing.map(quote).join(' and no ')} in ${quote(file)}`, {
      hint: near === undefined ? `it has ${names.slice(0, 10).map(quote).join(', ')}` : `did you mean ${near}?`,
    });
  }
  return apps.filter((app) => app !== null && (only.includes(app.pm2Name) || only.includes(String(app.stanza.name))));
}

/** pm2 takes two apps of one name; here the second has a number. */
function withOwnNames(apps: readonly ReadApp[]): readonly ReadApp[] {
  const taken = new Set<unknown>();
  return apps.map((app) => {
    const { name } = app.stanza;
    let own = name;
    for (let number = 2; taken.has(own); number++) own = `${String(name).slice(0, 60)}-${number}`;
    taken.add(own);
    if (own === name) return app;
    return {
      ...app,
      stanza: { ...app.stanza, name: own },
      notes: [`A second app is called ${name}: this one is ${own}.`, ...app.notes],
    };
  });
}

/** What differs from pm2 where the file says nothing, once for all apps. */
function defaultNotes(apps: readonly ReadApp[]): readonly string[] {
  const said = [...new Set(apps.flatMap(({ defaults }) => defaults))];
  return said.length === 0 ? [] : [`Where the file says nothing: ${said.join('; ')}.`];
}

function topNotes(top: Values): readonly string[] {
  const unknown = Object.keys(top).filter((key) => !topKeys.includes(key) && top.pm2 === undefined);
  return [
    ...(top.deploy === undefined
      ? []
      : ['deploy: only its "env" is taken over; stead copies nothing to other machines. git and ssh do, in a script.']),
    ...(top.static === undefined
      ? []
      : ['static: stead has no file server: "npx serve DIRECTORY", or a web server, as an app of its own.']),
    ...unknown.map((key) => {
      const near = nearest(key, topKeys);
      return `${quote(key)} is no field of pm2's and has no effect${near === undefined ? '' : `; did you mean ${near}?`}`;
    }),
  ];
}

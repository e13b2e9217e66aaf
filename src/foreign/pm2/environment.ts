/** The environment that an app is given over that of the shell: `env`, `deploy.NAME.env`, `env_NAME`. */
import type { Values } from './fields.ts';
import { type AppReading, type Part, texts } from './reading.ts';

export function readEnvironment(app: AppReading, deployments: ReadonlyMap<string, Values>): Part {
  const { values, environments, context } = app;
  const { profile } = context;
  const notes: string[] = [];
  const mistakes: string[] = [];
  const layers: unknown[] = [values.env ?? {}];
  const deployed = profile === null ? undefined : deployments.get(profile);
  if (profile !== null) {
    if (deployed !== undefined) layers.push(deployed);
    const own = environments.get(profile);
    if (own !== undefined) layers.push(own);
    else if (deployed === undefined) notes.push(`There is no env_${profile}: it has the environment of "env".`);
  }
  const env: Record<string, string> = {};
  if (values.port !== undefined) env.PORT = String(values.port);
  for (const layer of layers) {
    if (typeof layer !== 'object' || layer === null || Array.isArray(layer)) {
      mistakes.push(`"env_${profile}" takes a map of variables`);
      continue;
    }
    for (const [name, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      if (name === '' || name.includes('=') || name.includes('\0'))
        mistakes.push(`"env": ${JSON.stringify(name)} can't be the name of a variable`);
      else env[name] = variableText(value);
    }
  }
  if (environments.has('file'))
    notes.push(
      'env_file is, with pm2, the environment for "--env file"; stead reads files of variables: env_file in a stead.config.yaml.',
    );
  notes.push(...filterNotes(app));
  return { ...(Object.keys(env).length > 0 && { stanza: { env } }), notes, mistakes };
}

/** `env_production` and the like, as our files have them: of no effect where one of them has been chosen already. */
export function readProfiles(
  { environments, context }: AppReading,
  deployments: ReadonlyMap<string, Values>,
): Readonly<Record<string, unknown>> {
  if (context.profile !== null) return {};
  const names = [...new Set([...deployments.keys(), ...environments.keys()])].filter(isProfileName);
  const layered = names.map((name) => {
    const own = environments.get(name);
    const env = { ...deployments.get(name), ...(typeof own === 'object' ? own : {}) };
    return [
      `env_${name}`,
      Object.fromEntries(Object.entries(env).map(([key, value]) => [key, variableText(value)])),
    ] as const;
  });
  return Object.fromEntries(layered.filter(([, env]) => Object.keys(env).length > 0));
}

/** `env_file` is an option of ours. */
const isProfileName = (name: string): boolean => name !== 'file' && /^[A-Za-z0-9][\w.-]*$/.test(name);

/** What is nested is told as JSON, in env_NAME as well (pm2 makes "[object Object]" of it there). */
const variableText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

/** What is left out of the shell's environment can't be said in a stanza: it is emptied. */
function filterNotes({ values }: AppReading): readonly string[] {
  if (values.filter_env === undefined || values.filter_env === false) return [];
  if (values.filter_env === true) return ['filter_env: true has no effect, with pm2 7 neither.'];
  const words = (texts(values, 'filter_env') ?? []).join(', ');
  return [
    `filter_env: an app has the environment of the shell that starts it. To leave out ${words}: env -u NAME stead start …`,
  ];
}

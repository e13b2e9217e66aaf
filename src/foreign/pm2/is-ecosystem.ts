/**
 * Whether a file is pm2's or ours: both have `apps`. A name that says it decides (`stead.config.yaml`, `ecosystem.config.js`); else what only one of them can mean: a map of
 * apps, `job`, `depends_on` are ours, `exec_mode`, `maxRestarts`, `deploy` theirs. What could be both is pm2's if its name is as pm2 wants it (`x.config.js`), and ours
 * otherwise, as ours is read strictly: a key of pm2's in it is refused by name, and nothing is misunderstood.
 */
import { basename } from 'node:path';
import { optionsTable } from '../../config/options.ts';
import { fieldWords } from './fields.ts';

/** `value` is what the file holds. */
export function isEcosystem(value: unknown, file: string): boolean {
  const name = basename(file).toLowerCase();
  if (/^stead\./.test(name)) return false;
  if (isNamedSo(name)) return !isSurelyOurs(value);
  if (Array.isArray(value)) return true;
  if (!isMap(value)) return false;
  if (ourTopKeys.some((key) => key in value)) return false;
  if ('deploy' in value || 'static' in value || 'pm2' in value) return true;
  const { apps = value } = value;
  if (isMap(apps) && apps !== value) return ['script', 'exec', 'cmd'].some((key) => typeof apps[key] === 'string');
  const list = (Array.isArray(apps) ? apps : [apps]).filter(isMap);
  const [ours, theirs] = [list.some(hasOurs), list.some(hasTheirs)];
  return ours === theirs ? !ours && /\.config\.[cm]?[jt]s$/.test(name) : theirs;
}

/** What no file of pm2's can be, whatever its name: it would be read as something else than it says. */
function isSurelyOurs(value: unknown): boolean {
  if (!isMap(value)) return false;
  if (ourTopKeys.some((key) => key in value)) return true;
  const { apps } = value;
  if (isMap(apps)) return Object.values(apps).every(isMap) && Object.keys(apps).length > 0;
  return (
    Array.isArray(apps) &&
    apps.some((app) => isMap(app) && (Array.isArray(app.command) || typeof app.job === 'boolean'))
  );
}

/** By the name alone. */
export const isNamedSo = (name: string): boolean =>
  /^(ecosystem|pm2)([.-].*)?\.(json5?|ya?ml|[cm]?[jt]s)$/.test(name) ||
  /[.-](ecosystem|pm2)(\.config)?\.(json5?|ya?ml|[cm]?[jt]s)$/.test(name) ||
  /^(process|processes)\.(json5?|ya?ml)$/.test(name) ||
  name === 'package.json';

const ourTopKeys: readonly string[] = ['defaults', 'groups', 'project'];
const ourKeys: ReadonlySet<string> = new Set([...optionsTable.map(({ key }) => key), 'job', 'log']);
const theirWords: ReadonlySet<string> = new Set(fieldWords);

const hasOurs = (app: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(app.command) || Object.keys(app).some((key) => ourKeys.has(key) && !theirWords.has(key));

/** `env_production` is said in both. */
const hasTheirs = (app: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(app).some(
    (key) => theirWords.has(key) && !ourKeys.has(key) && key !== 'script' && key !== 'args' && key !== 'command',
  );

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import { captureCaller } from '../../client/caller.ts';
import { request } from '../../client/http.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { AppDetail } from '../../protocol/api.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { fromDaemonOrDisk } from '../reading.ts';
import { requireSelectors } from '../selectors.ts';

export const command: Command = {
  name: 'env',
  usage: ['env <sel> [--diff] [--show-env]'],
  about: [
    "The names of an app's variables; their values with --show-env. Secrets are named with their files, and never shown.",
    'With --diff: what differs from the environment of this shell, which is what stead restart --update-env would take.',
  ],
  examples: [
    ['stead env web', 'names'],
    ['stead env web --diff', 'what would change with --update-env'],
  ],
  flags: () => [
    { name: 'diff', type: 'boolean', text: 'compare with the environment of this shell' },
    { name: 'show-env', type: 'boolean', text: 'show values, too' },
  ],
  run: env,
};

interface Difference {
  readonly name: string;
  /** Null where it is not set. */
  readonly app: string | null;
  readonly here: string | null;
}

async function env({ home, words, values, json }: Call): Promise<number> {
  const [name] = requireSelectors(words, 'env');
  const isShown = values['show-env'] === true;
  const detail = await readDetail(home, name!);
  const entries = new Map(detail.env.map(divide));
  const secrets = Object.entries(detail.spec.secrets).map(([key, path]) => ({ name: key, file: path }));
  if (values.diff === true) {
    const differences = differencesBetween(entries, new Map(captureCaller().env.map(divide)));
    if (json) printJson(differences.map((each) => (isShown ? each : { name: each.name, change: changeOf(each) })));
    else for (const each of differences) print(differenceLine(each, isShown));
    return 0;
  }
  if (json) printJson({ env: isShown ? Object.fromEntries(entries) : [...entries.keys()], secrets });
  else {
    for (const [key, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
      print(escapeControls(isShown ? `${key}=${value}` : key));
    for (const secret of secrets) print(escapeControls(`${secret.name}  (from ${secret.file})`));
  }
  return 0;
}

function readDetail(home: string, name: string): Promise<AppDetail> {
  const query = { showEnv: '1' };
  return fromDaemonOrDisk(home, request(home, 'show', { params: { sel: name }, query }), async () => {
    const { showFromDisk } = await import('../../client/offline.ts');
    return showFromDisk(home, name, { showEnv: true });
  });
}

const divide = (entry: string): [string, string] => {
  const at = entry.indexOf('=', 1);
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
};

function differencesBetween(app: ReadonlyMap<string, string>, here: ReadonlyMap<string, string>): Difference[] {
  return [...new Set([...app.keys(), ...here.keys()])]
    .sort()
    .map((name) => ({ name, app: app.get(name) ?? null, here: here.get(name) ?? null }))
    .filter((each) => each.app !== each.here);
}

const changeOf = ({ app, here }: Difference): 'added' | 'removed' | 'changed' =>
  app === null ? 'added' : here === null ? 'removed' : 'changed';

function differenceLine(each: Difference, isShown: boolean): string {
  const sign = { added: '+', removed: '-', changed: '~' }[changeOf(each)];
  const value = isShown ? `: ${each.app ?? '(not set)'} → ${each.here ?? '(not set)'}` : '';
  return escapeControls(`${sign} ${each.name}${value}`);
}

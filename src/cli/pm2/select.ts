/** What pm2's selectors mean: `all`, a number, a name, a namespace, a `/regular expression/`. */
import { passingName } from '../../config/app-name.ts';
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import type { AppView } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Process } from './processes.ts';

/** Each once, in the order of their numbers. Throws APP_NOT_FOUND for a word that means none of them, and for `all` where there is none. */
export function selectProcesses(processes: readonly Process[], words: readonly string[]): readonly Process[] {
  const chosen = new Set(words.flatMap((word) => selectOne(processes, word)));
  return processes.filter((process) => chosen.has(process));
}

function selectOne(processes: readonly Process[], word: string): readonly Process[] {
  const found = meantBy(processes, word);
  if (found.length > 0) return found;
  if (word === 'all') throw new SteadError('APP_NOT_FOUND', 'No process found');
  const near = nearest(
    word,
    processes.map(({ app }) => app.name),
  );
  throw new SteadError('APP_NOT_FOUND', `Process or Namespace ${quote(word)} not found`, {
    hint: near === undefined ? 'stead-pm2 list' : `did you mean ${near}?`,
  });
}

export function meantBy(processes: readonly Process[], word: string): readonly Process[] {
  if (word === 'all') return processes;
  const pattern = /^\/(.+)\/$/.exec(word)?.[1];
  if (pattern !== undefined) return processes.filter(({ app }) => expression(pattern).test(app.name));
  const tests: readonly ((process: Process) => boolean)[] = [
    ({ app }) => app.name === word,
    ({ id }) => /^\d+$/.test(word) && id === Number(word),
    // An app whose name can't be one here is called otherwise.
    ({ app }) => app.name === passingName(word),
    ({ app }) => (app.group ?? 'default') === word,
  ];
  for (const test of tests) {
    const found = processes.filter(test);
    if (found.length > 0) return found;
  }
  return [];
}

function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern.slice(0, 500));
  } catch (error) {
    throw new SteadError('USAGE', `/${pattern}/ is no regular expression: ${(error as Error).message}`);
  }
}

/** Apps, and single instances where not all of one are meant. */
export interface Meant {
  readonly app: AppView;
  /** Selectors of ours: the name, or `name:index` for each. */
  readonly select: readonly string[];
  readonly processes: readonly Process[];
  readonly isWhole: boolean;
}

export function meantApps(chosen: readonly Process[]): readonly Meant[] {
  const apps = [...new Set(chosen.map(({ app }) => app))];
  return apps.map((app) => {
    const processes = chosen.filter((process) => process.app === app);
    const isWhole = processes.length === app.instances.filter(({ role }) => role === undefined).length;
    const select = isWhole ? [app.name] : processes.map(({ instance }) => `${app.name}:${instance.index}`);
    return { app, select, processes, isWhole };
  });
}

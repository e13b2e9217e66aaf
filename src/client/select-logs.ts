/** Whose logs are meant: of apps that are known, and of those that were and left some. Found on disk, so that no daemon is needed. */
import { type FoundLog, findLogs, hasLogs } from '../logs/find.ts';
import type { AppView } from '../protocol/api.ts';
import { isKept } from './kept/is-kept.ts';
import { type Selected, selectApps } from './select-apps.ts';

export interface LogOf extends FoundLog {
  readonly name: string;
}

/** Throws APP_NOT_FOUND. `readApps` is only asked for what can't be told by the logs. */
export async function selectLogs(
  selectors: readonly string[],
  { home, readApps }: { readonly home: string; readonly readApps: () => Promise<readonly AppView[]> },
): Promise<readonly Selected[]> {
  // What is called by its name is found by it: no daemon need be asked.
  if (selectors.every((word) => isName(word) && hasLogs(home, word) && !isKept(home, word)))
    return [...new Set(selectors)].map(leftOf);
  const apps = await readApps();
  const known = new Set(apps.map(({ name }) => name));
  const isLeft = (word: string) => !known.has(word) && hasLogs(home, word);
  const left = selectors.filter(isLeft);
  const rest = selectors.filter((word) => !left.includes(word));
  return [...(rest.length > 0 ? selectApps(apps, rest) : []), ...left.map(leftOf)];
}

/** Neither an id, nor a group, nor one instance. */
const isName = (word: string): boolean => word !== 'all' && /^[A-Za-z][\w.-]*$/.test(word);

/** Its logs tell which instances it has or had. */
const leftOf = (name: string): Selected => ({ app: { name, instances: [] } as unknown as AppView, instances: [] });

/** The logs of the instances that are meant. */
export function logsOf(
  home: string,
  { app, instances }: Selected,
  streams: readonly ('out' | 'err')[],
): readonly LogOf[] {
  const indexes = instances.map(({ index }) => index);
  const isChosen = instances.length < app.instances.length;
  return findLogs(home, app.name, indexes)
    .filter(({ index, stream }) => streams.includes(stream) && (!isChosen || indexes.includes(index)))
    .map((found) => ({ ...found, name: app.name }));
}

/** Whether apps that are not there yet may be meant, too. */
export const isOpen = (selectors: readonly string[]): boolean =>
  selectors.some((word) => word === 'all' || word.startsWith('@'));

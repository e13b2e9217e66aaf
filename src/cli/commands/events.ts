import { act } from '../../client/act.ts';
import { followEvents } from '../../client/follow-events.ts';
import { request } from '../../client/http.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { EventView } from '../../protocol/api.ts';
import { selectApps } from '../../protocol/select.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { readApps } from '../reading.ts';

const shownAtFirst = 20;

export const command: Command = {
  name: 'events',
  usage: ['events [sel…] [-f] [-n N]'],
  about: [
    'What happened: starts, exits, restarts, failures, and who asked. With -f it goes on, over restarts of the daemon as well; --json prints an object per line.',
  ],
  examples: [
    ['stead events', 'the last 20'],
    ['stead events -f web', 'what happens to web from now on'],
  ],
  flags: () => [
    { name: 'follow', short: 'f', type: 'boolean', text: 'go on with what happens' },
    { name: 'lines', short: 'n', type: 'integer', min: 0, value: 'N', default: '20', text: 'how many to begin with' },
  ],
  run: events,
};

async function events({ home, words, values, json }: Call): Promise<number> {
  const names = words.length === 0 ? null : await namesOf(home, words);
  const isMeant = ({ app }: EventView) => names === null || names.has(app);
  const { events: all } = values.follow === true ? await act(home, 'events', {}) : await request(home, 'events', {});
  const count = typeof values.lines === 'number' ? values.lines : shownAtFirst;
  const tell = (event: EventView) => {
    if (!isMeant(event)) return;
    if (json) printJson(event);
    else print(line(event));
  };
  const last = all.filter(isMeant);
  for (const event of last.slice(Math.max(0, last.length - count))) tell(event);
  if (values.follow !== true) return 0;
  const { signal } = new AbortController();
  for await (const event of followEvents(home, { after: all.at(-1)?.id ?? 0, signal })) tell(event);
  return 0;
}

async function namesOf(home: string, selectors: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set(selectApps(await readApps(home), selectors).map(({ name }) => name));
}

function line({ at, type, app, index, run, pid, reason, by }: EventView): string {
  const when = new Date(at);
  const time = `${when.toLocaleDateString('sv')} ${when.toLocaleTimeString('sv')}`;
  const who = `${app}${index === 0 ? '' : `:${index}`}`;
  const what = [pid === null || type === 'start' ? null : `pid ${pid}`, reason, by === null ? null : `by ${by}`].filter(
    (part) => part !== null,
  );
  return escapeControls(`${time}  ${who}  ${type}  run ${run}${what.length === 0 ? '' : `: ${what.join(', ')}`}`);
}

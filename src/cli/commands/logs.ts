import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { logFiles } from '../../logs/layout.ts';
import { wakeOn } from '../../logs/wake.ts';
import type { Call, Command } from '../command.ts';
import { type LogSource, parseCount, showLogs } from '../log-output.ts';
import { readApps } from '../reading.ts';
import { type Selected, selectApps } from '../selectors.ts';

export const command: Command = {
  name: 'logs',
  usage: ['logs [sel…] [-n N|all] [-f] [--out] [--err]'],
  about: [
    'Shows the last lines that an app printed, 20 without -n, and with -f what comes, over restarts, too. Without a name it shows all apps; of several each line begins with the name. On a terminal control characters are made visible, colours are kept; a pipe gets the bytes as they are.',
  ],
  examples: [
    ['stead logs web', 'the last 20 lines'],
    ['stead logs -f web worker', 'follow two apps'],
    ['stead logs web -n all --err > errors.txt', 'everything from stderr'],
  ],
  flags: () => [
    { name: 'lines', short: 'n', type: 'text', value: 'N|all', default: '20', text: 'so many lines of each file' },
    { name: 'follow', short: 'f', type: 'boolean', text: 'go on with what comes' },
    { name: 'out', type: 'boolean', text: 'only what went to stdout' },
    { name: 'err', type: 'boolean', text: 'only what went to stderr' },
    { name: 'raw', type: 'boolean', text: 'bytes as they are, on a terminal, too' },
  ],
  run: logs,
};

async function logs({ home, words, values, json }: Call): Promise<number> {
  const lines = parseCount(values.lines);
  const selected = selectApps(await readApps(home), words.length > 0 ? words : ['all']);
  const kinds = (['out', 'err'] as const).filter((kind) => values[kind] || values.out === values.err);
  const sources = withoutNeedlessPrefix(selected.flatMap((one) => sourcesOf(home, one, kinds)));
  const until = values.follow ? untilDeleted(home, selected) : null;
  await showLogs(sources.sort(byLastWrite), { lines, format: json ? 'json' : values.raw ? 'raw' : 'text', until });
  return 0;
}

function sourcesOf(home: string, { app, instances }: Selected, kinds: readonly ('out' | 'err')[]): LogSource[] {
  return instances.flatMap(({ index }) => {
    const prefix = app.instances.length > 1 ? `${app.name}:${index} | ` : `${app.name} | `;
    const files = logFiles(home, app.name, index);
    return kinds.map((stream) => ({ file: files[stream], prefix, label: { name: app.name, index, stream } }));
  });
}

function withoutNeedlessPrefix(sources: LogSource[]): LogSource[] {
  const isOne = new Set(sources.map(({ prefix }) => prefix)).size < 2;
  return isOne ? sources.map((source) => ({ ...source, prefix: '' })) : sources;
}

/** What was written last comes last, where a person looks first. */
function byLastWrite(a: LogSource, b: LogSource): number {
  const time = ({ file }: LogSource) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return time(a) - time(b);
}

/** Aborted once none of the apps is there any more. */
function untilDeleted(home: string, selected: readonly Selected[]): AbortSignal {
  const controller = new AbortController();
  const gone = selected.map(({ app }) => untilGone(join(home, 'apps', app.name)));
  Promise.all(gone).then(() => controller.abort());
  return controller.signal;
}

async function untilGone(directory: string): Promise<void> {
  for (;;) {
    // Armed before the look: what happens in between wakes it.
    const wake = wakeOn(directory);
    if (!existsSync(directory)) return wake.close();
    await wake.happened;
  }
}

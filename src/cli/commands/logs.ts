import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Call, Command } from '../command.ts';
import { type LogSource, parseCount, showLogs } from '../log-output.ts';
import { readApps } from '../reading.ts';
import { requireSelectors, type Selected, selectApps } from '../selectors.ts';

export const command: Command = {
  name: 'logs',
  usage: ['logs <sel…> [-n N|all] [-f] [--out] [--err]'],
  about: [
    'Shows the last lines that an app printed, 20 without -n, and with -f what comes, over restarts, too. Of several apps each line begins with its name. On a terminal control characters are made visible, colours are kept; a pipe gets the bytes as they are.',
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
  hasJson: false,
  run: logs,
};

async function logs({ home, words, values }: Call): Promise<number> {
  const selected = selectApps(await readApps(home), requireSelectors(words, 'logs'));
  const kinds = (['out', 'err'] as const).filter((kind) => values[kind] || values.out === values.err);
  const files = selected.flatMap((one) => filesOf(home, one, kinds)).filter(({ file }) => existsSync(file));
  const isOne = new Set(files.map(({ prefix }) => prefix)).size < 2;
  const sources = files.map((source) => (isOne ? { ...source, prefix: '' } : source));
  const lines = parseCount(values.lines);
  await showLogs(sources, { lines, isFollowing: values.follow === true, isRaw: values.raw === true });
  return 0;
}

function filesOf(home: string, { app, instances }: Selected, kinds: readonly ('out' | 'err')[]): LogSource[] {
  return instances.flatMap(({ index }) => {
    const prefix = app.instances.length > 1 ? `${app.name}:${index} | ` : `${app.name} | `;
    return kinds.map((kind) => ({
      file: join(home, 'logs', app.name, `${index}.${kind}.log`),
      fd: 1 as const,
      prefix,
    }));
  });
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printsToJournal, showJournal } from '../../client/kept/journal.ts';
import { isOpen, logsOf, selectLogs } from '../../client/select-logs.ts';
import { untilGone } from '../../client/until-gone.ts';
import { escapeControls } from '../../host/bytes.ts';
import { wakeOn } from '../../logs/wake.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { followShown, type LogOptions, type LogSource, parseCount, readableLines, showLogs } from '../log-output.ts';
import { OutputClosed, print, printJson, say } from '../output.ts';
import { readApps } from '../reading.ts';
import { labelPainter } from '../render/colour.ts';
import type { Selected } from '../selectors.ts';
import { parseWhen } from '../when.ts';

export const command: Command = {
  name: 'logs',
  usage: ['logs [sel…] [-n N|all] [-f] [--out|--err]', 'logs [sel…] [--since T] [--until T] [--grep PATTERN …]'],
  about: [
    'Shows the last lines that an app printed, 20 without -n, and with -f what comes, over restarts and rotations. Without a name it shows all apps, merged by when the lines came; of several each line begins with the name. On a terminal control characters are made visible, colours are kept; a pipe gets the bytes as they are. It needs no daemon.',
    'With --since, --until or --grep it shows all that fits. A time is an age (10m, 2h), a clock time (14:05), a date, or both. When lines came is known to a quarter of a second while they come fast, and to some milliseconds otherwise; of what came while no daemon ran only the last line’s time is known.',
    'With --json a line is {name, index, stream, time, offset, line}. A byte that is no UTF-8 is U+DC00 plus the byte in "line", so that nothing is lost; "partial" marks a line without its end.',
  ],
  examples: [
    ['stead logs web', 'the last 20 lines'],
    ['stead logs -f web worker', 'follow two apps'],
    ['stead logs web --since 14:05 --until 14:10 -t', 'what came in these five minutes, and when'],
    ['stead logs --grep "timeout|refused" -i -C 2', 'search all logs, rotated ones too'],
    ['stead logs web -n all --err > errors.txt', 'everything from stderr'],
  ],
  flags: () => [
    { name: 'lines', short: 'n', type: 'text', value: 'N|all', default: '20', text: 'so many of the last lines' },
    { name: 'follow', short: 'f', type: 'boolean', text: 'go on with what comes' },
    { name: 'out', type: 'boolean', text: 'only what went to stdout' },
    { name: 'err', type: 'boolean', text: 'only what went to stderr' },
    { name: 'since', type: 'text', value: 'time', text: 'what came at this time or later: 10m, 14:05, 2026-11-23' },
    { name: 'until', type: 'text', value: 'time', text: 'what came before this time' },
    { name: 'timestamps', short: 't', type: 'boolean', text: 'begin each line with when it came' },
    { name: 'grep', type: 'text', value: 'pattern', text: 'only lines that match this regular expression' },
    { name: 'ignore-case', short: 'i', type: 'boolean', text: 'with --grep: whatever the case' },
    { name: 'invert', short: 'v', type: 'boolean', text: 'with --grep: the lines that do not match' },
    {
      name: 'context',
      short: 'C',
      type: 'integer',
      min: 0,
      max: 1000,
      value: 'n',
      text: 'with --grep: so many lines around',
    },
    { name: 'pretty', type: 'boolean', text: 'JSON lines of the program as text: time, level, message' },
    { name: 'raw', type: 'boolean', text: 'bytes as they are, on a terminal, too' },
    { name: 'path', type: 'boolean', text: 'print where the logs lie, and nothing of them' },
  ],
  run: logs,
};

async function logs({ home, words, values, json }: Call): Promise<number> {
  const options = await optionsFrom({ words, values, json });
  const selectors = words.length > 0 ? words : ['all'];
  const kinds = (['out', 'err'] as const).filter((kind) => values[kind] || values.out === values.err);
  const selected = await selectLogs(selectors, { home, readApps: () => readApps(home) });
  const sourcesOf = (one: Selected) => logSources(home, one, kinds);
  const inJournal = selected.filter(({ app }) => app.keeper && printsToJournal(app));
  if (inJournal.length > 0 && values.path !== true) {
    if (inJournal.length === selected.length) return journal(inJournal, { options, values, json });
    // One is a file, the other is not: they are not merged.
    for (const { app } of inJournal)
      say(`${escapeControls(app.name)} is kept by systemd, with its output: stead logs ${escapeControls(app.name)}`);
  }
  if (values.path === true) return printPaths(selected.flatMap(sourcesOf), json);
  const sources = withoutNeedlessPrefix(selected.flatMap(sourcesOf), selectors);
  const isFollowed = values.follow === true;
  const shown = await showLogs(sources, options, { goesOn: isFollowed });
  if (!isFollowed) return 0;
  await Promise.all([
    followShown(shown, untilDeleted(home, selected, selectors)),
    ...(isOpen(selectors) ? [followNewcomers(home, { selectors, selected, options, sourcesOf })] : []),
  ]);
  return 0;
}

/** What systemd keeps is shown by journalctl. */
async function journal(
  inJournal: readonly Selected[],
  { options, values, json }: { readonly options: LogOptions } & Pick<Call, 'values' | 'json'>,
): Promise<number> {
  const keepers = inJournal.map(({ app }) => app.keeper!);
  const { grep, since, until, lines, timestamps } = options;
  if (grep?.invert || (grep?.context ?? 0) > 0)
    throw new SteadError('UNSUPPORTED', 'journalctl has no -v and no -C', { hint: 'stead logs … | grep -v' });
  return showJournal(keepers, {
    lines,
    since,
    until,
    isFollowed: values.follow === true,
    pattern: grep === null ? null : { text: grep.pattern, ignoreCase: grep.ignoreCase },
    timestamps,
    json,
  });
}

type Values = Pick<Call, 'words' | 'values' | 'json'>;

async function optionsFrom({ values, json }: Values): Promise<LogOptions> {
  const time = (name: 'since' | 'until') =>
    values[name] === undefined ? null : parseWhen(String(values[name]), `--${name}`);
  const [since, until] = [time('since'), time('until')];
  if (since !== null && until !== null && until < since)
    throw new SteadError('OPTION_INVALID', '--until is before --since');
  if (until !== null && values.follow === true)
    throw new SteadError('USAGE', '-f goes on, and --until ends: one of them', { hint: 'stead logs --until 14:10' });
  if (values.grep === undefined && (values.invert || values['ignore-case'] || values.context !== undefined))
    throw new SteadError('USAGE', '-i, -v and -C say how to search, and there is nothing to search for', {
      hint: 'stead logs --grep PATTERN',
    });
  const grep =
    values.grep === undefined
      ? null
      : {
          pattern: String(values.grep),
          ignoreCase: values['ignore-case'] === true,
          invert: values.invert === true,
          context: Number(values.context ?? 0),
        };
  if (values.pretty === true) readableLines.current = (await import('../../logs/structured.ts')).readable;
  return {
    lines: parseCount(values.lines, since !== null || until !== null || grep !== null ? 'all' : 20),
    since,
    until,
    grep,
    timestamps: values.timestamps === true,
    pretty: values.pretty === true,
    format: json ? 'json' : values.raw ? 'raw' : 'text',
  };
}

function logSources(home: string, one: Selected, kinds: readonly ('out' | 'err')[]): LogSource[] {
  const found = logsOf(home, one, kinds);
  const isSeveral = new Set(found.map(({ index }) => index)).size > 1;
  return found.map(({ name, index, stream, place }) => ({
    place,
    prefix: isSeveral ? `${name}:${index} | ` : `${name} | `,
    label: { name, index, stream },
  }));
}

function printPaths(sources: readonly LogSource[], json: boolean): number {
  const files = sources.filter(({ place }) => existsSync(place.file));
  if (json) printJson(files.map(({ place, label }) => ({ ...label, file: place.file })));
  else for (const { place } of files) print(escapeControls(place.file));
  return 0;
}

function withoutNeedlessPrefix(sources: readonly LogSource[], selectors: readonly string[]): readonly LogSource[] {
  const prefixes = new Set(sources.map(({ prefix }) => prefix));
  const isOne = prefixes.size < 2 && !(isOpen(selectors) && prefixes.size === 0);
  return isOne ? sources.map((source) => ({ ...source, prefix: '' })) : sources.map(painted);
}

/** On a terminal every app has a colour of its own. */
const paintLabel = labelPainter();
const painted = (source: LogSource): LogSource => ({ ...source, prefix: paintLabel(source.prefix) });

/** Those that appear later are shown from their first line on. */
async function followNewcomers(
  home: string,
  {
    selectors,
    selected,
    options,
    sourcesOf,
  }: {
    readonly selectors: readonly string[];
    readonly selected: readonly Selected[];
    readonly options: LogOptions;
    sourcesOf(one: Selected): readonly LogSource[];
  },
): Promise<void> {
  const known = new Set(selected.map(({ app }) => app.name));
  const following: Promise<void>[] = [];
  const failed: { error?: unknown } = {};
  for (;;) {
    // Armed before the look: what happens in between wakes it.
    const wake = wakeOn(join(home, 'apps'));
    const now = await selectLogs(selectors, { home, readApps: () => readApps(home) }).catch(() => []);
    for (const one of now.filter(({ app }) => !known.has(app.name))) {
      known.add(one.app.name);
      const shown = await showLogs(sourcesOf(one).map(painted), { ...options, lines: 'all' }, { goesOn: true });
      following.push(
        followShown(shown, untilDeleted(home, [one], [one.app.name])).catch((error) => {
          failed.error = error;
        }),
      );
    }
    await Promise.race([wake.happened, ...following]);
    wake.close();
    if (failed.error instanceof OutputClosed) throw failed.error;
  }
}

/** Aborted once none of the apps is there any more; never where others may still come. */
function untilDeleted(home: string, selected: readonly Selected[], selectors: readonly string[]): AbortSignal {
  const controller = new AbortController();
  if (isOpen(selectors)) return controller.signal;
  const gone = selected.map(({ app }) => untilGone(home, app.name));
  Promise.all(gone).then(() => controller.abort());
  return controller.signal;
}

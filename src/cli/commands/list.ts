import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { AppView } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { selectApps } from '../../protocol/select.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, say, terminalColumns } from '../output.ts';
import { ownershipNote } from '../ownership.ts';
import { assertDirectory, readApps } from '../reading.ts';
import { renderApps } from '../render/apps.ts';
import { painter } from '../render/colour.ts';

/** Finished jobs are shown for so long without `-a`. */
const jobShownMs = 86_400_000;

export const command: Command = {
  name: 'list',
  usage: ['list [sel…] [-a] [-i]'],
  about: [
    'Without a daemon it shows what is on disk. Jobs that ended more than a day ago are left out, unless they are named or -a is given.',
  ],
  examples: [
    ['stead list', 'all apps'],
    ['stead list --json', 'the same for programs; an empty list is []'],
  ],
  flags: () => [
    { name: 'all', short: 'a', type: 'boolean', text: 'also jobs that ended more than a day ago' },
    { name: 'instances', short: 'i', type: 'boolean', text: 'one line per instance' },
  ],
  run: list,
};

async function list({ home, words, json, values, isVerbGiven }: Call): Promise<number> {
  // First of all, so that the daemon works on it while this process loads the rest.
  const apps = hasApps(home) ? await readApps(home) : [];
  const isShown = (app: AppView) => words.length > 0 || values.all === true || !isOldJob(app, Date.now());
  const chosen = words.length > 0 ? selectApps(apps, words) : apps;
  const shown = chosen.filter(isShown);
  const hidden = chosen.length - shown.length;
  if (json) printJson(shown);
  else printList({ home, shown, hidden, perInstance: values.instances === true, isVerbGiven });
  const note = ownershipNote(home);
  if (note) say(note);
  return 0;
}

/** Whether anything was ever started here. Throws HOME_UNUSABLE for a home that is none, HOME_UNSAFE for one that may not be looked into. */
function hasApps(home: string): boolean {
  assertDirectory(home);
  try {
    return statSync(join(home, 'apps')).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new SteadError(
      'HOME_UNSAFE',
      `${home} cannot be read: ${code === 'EACCES' ? 'it belongs to another user' : code}`,
    );
  }
}

/** A job that ended more than a day ago. */
export function isOldJob({ kind, instances }: AppView, nowMs: number): boolean {
  const ended = instances.map(
    ({ state, since }) => isOver(state) && since !== null && nowMs - Date.parse(since) > jobShownMs,
  );
  return kind === 'job' && ended.length > 0 && ended.every(Boolean);
}

const isOver = (state: string) => state === 'completed' || state === 'failed' || state === 'stopped';

interface Shown {
  readonly home: string;
  readonly shown: readonly AppView[];
  readonly hidden: number;
  readonly perInstance: boolean;
  readonly isVerbGiven: boolean;
}

function printList({ home, shown, hidden, perInstance, isVerbGiven }: Shown): void {
  const more = hidden === 0 ? [] : [`${hidden} older ${hidden === 1 ? 'job' : 'jobs'}: stead list -a`];
  if (shown.length > 0) {
    const lines = renderApps(shown, { width: terminalColumns(), paint: painter(), nowMs: Date.now(), perInstance });
    print([...lines, ...more].join('\n'));
  } else if (hidden > 0) print(more.join('\n'));
  else print(isVerbGiven ? `No apps in ${home}. To begin: stead start <script>` : beginning.join('\n'));
}

const beginning: readonly string[] = [
  'stead runs programs in your stead. Nothing runs yet; to begin:',
  '  stead start server.js              keep a script running, also after a crash',
  '  stead start -- python3 -m http.server 8000     the same with any command',
  '  stead run -- make all              one job in the background, as nohup does',
  '  stead help                         all commands; stead help start for one',
];

/** Options of `stead dev`: nodemon's, and its own. */
import type { Flag } from '../config/parse.ts';
import { parseSignal } from '../config/values.ts';
import { busyPolicies } from './settings.ts';

/** nodemon takes these wherever they stand, up to `--`. */
export const nodemonFlags: readonly Flag[] = [
  {
    name: 'watch',
    short: 'w',
    type: 'texts',
    value: 'path',
    text: 'watch a directory, a file or a glob; may be repeated (all of the directory)',
  },
  { name: 'ignore', short: 'i', type: 'texts', value: 'glob', text: 'do not watch these; may be repeated' },
  {
    name: 'ext',
    short: 'e',
    type: 'text',
    value: 'list',
    text: "extensions that count: 'js,ts' (js,mjs,cjs,json, or the script's own and json)",
  },
  {
    name: 'exec',
    short: 'x',
    type: 'text',
    value: 'command',
    text: "run the script with this: 'python3 -v'; {{filename}} and {{pwd}} are filled in",
  },
  {
    name: 'delay',
    short: 'd',
    type: 'text',
    value: 'time',
    text: 'wait until so long nothing has changed: 2.5, 2.5s, 2500ms (300ms, and 2s at most)',
  },
  {
    name: 'signal',
    short: 's',
    type: 'text',
    value: 'signal',
    grammar: parseSignal,
    text: 'what ends it (TERM), once; what is left after --stop-timeout is killed',
  },
  { name: 'on-change-only', short: 'C', type: 'boolean', text: 'start at the first change' },
  { name: 'no-stdin', short: 'I', type: 'boolean', text: 'nothing typed here restarts it' },
  { name: 'exitcrash', type: 'boolean', text: 'end when it crashes, with its exit code' },
  {
    name: 'legacy-watch',
    short: 'L',
    type: 'boolean',
    text: 'look at the files again and again, for file systems that tell of no changes',
  },
  {
    name: 'polling-interval',
    short: 'P',
    type: 'integer',
    min: 10,
    max: 3_600_000,
    value: 'ms',
    text: 'how often, with -L (100)',
  },
  { name: 'cwd', type: 'text', value: 'dir', text: 'be there' },
  { name: 'config', type: 'text', value: 'file', text: 'read this in place of nodemon.json' },
  { name: 'verbose', short: 'V', type: 'boolean', text: 'say more: every file, every signal' },
  { name: 'quiet', short: 'q', type: 'boolean', text: 'say only what went wrong' },
  { name: 'no-colors', type: 'boolean', text: 'no colors in what stead says' },
  { name: 'dump', type: 'boolean', text: 'print what it would do, as JSON' },
  { name: 'spawn', type: 'boolean', text: 'for nodemon, without effect; so are --js and --no-update-notifier' },
];

const nodemonOnly: readonly Flag[] = [
  { name: 'js', type: 'boolean', text: '' },
  { name: 'no-update-notifier', type: 'boolean', text: '' },
  { name: 'no-colours', type: 'boolean', text: '' },
];

/** Before the script only: what comes after it may be the program's own. */
export const steadFlags: readonly Flag[] = [
  {
    name: 'before',
    type: 'text',
    value: 'command',
    text: "run this before each start, by sh -c: 'npm run build'; if it fails, what runs goes on",
  },
  {
    name: 'on-busy',
    type: 'choice',
    choices: busyPolicies,
    value: 'what',
    text: `what a change does while it runs: ${busyPolicies.join(', ')} (restart)`,
  },
  {
    name: 'restart',
    type: 'boolean',
    text: 'after a crash start it again, after a while: 0.5 s, then longer, up to 15 s',
  },
  {
    name: 'stop-timeout',
    type: 'duration',
    min: 0,
    value: 'time',
    text: 'how long it may take to end before it is killed (10s)',
  },
  {
    name: 'graph',
    type: 'boolean',
    text: 'watch what the Node program has imported, its package.json, tsconfig.json and .env, and nothing else',
  },
  { name: 'gitignore', type: 'boolean', default: 'on', text: 'watch what .gitignore files name, too' },
];

/** What is understood before the script, and behind it. */
export const leadingFlags: readonly Flag[] = [...nodemonFlags, ...steadFlags, ...nodemonOnly];
export const trailingFlags: readonly Flag[] = [...nodemonFlags, ...nodemonOnly];

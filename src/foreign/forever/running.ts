/**
 * What forever runs now, by its files alone: `<root>/pids/*.pid` hold the pids of its programs, each a child of a monitor (`node …/bin/monitor SCRIPT`). What it was
 * told besides (how often to restart, what to watch) went to that monitor in memory, and can't be read.
 */
import { basename, join } from 'node:path';
import { cwdFrom, type Files, pathFrom } from '../context.ts';
import { listed, Names } from '../draft.ts';
import { putEnv } from '../env-file.ts';
import type { Foreign, ForeignApp } from '../model.ts';
import type { ForeverSurroundings } from './read.ts';

/** Of a process that lives. */
export interface ProcessFacts {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly parent: number;
}

export type Processes = (pid: number) => ProcessFacts | null;

/** Nothing of forever's is written. No apps: nothing runs. */
export function readRunningForever(context: ForeverSurroundings, processes: Processes): Foreign {
  const names = new Names();
  const directory = pidDirectory(context.root, context.files);
  const apps = context.files
    .list(directory)
    .filter((name) => name.endsWith('.pid'))
    .flatMap((name): ForeignApp[] => {
      const facts = processes(pidIn(join(directory, name), context.files));
      const monitor = facts === null ? null : processes(facts.parent);
      // A pid that another program has meanwhile is no child of a monitor.
      const isOurs = monitor?.argv.some((word) => /(^|\/)bin\/monitor$/.test(word)) === true;
      return facts === null || !isOurs ? [] : [appOf(facts, basename(name, '.pid'), { ...context, names })];
    });
  return {
    apps,
    notes: [
      `Read from what runs under ${context.root}. How forever was told to restart and to watch can't be read: its command line or file tells that (stead import forever -- start …).`,
      'Values of the environment that differ from yours are here: see that no secret is among them.',
    ],
  };
}

function pidDirectory(root: string, files: Files): string {
  try {
    const { pidPath } = JSON.parse(files.read(join(root, 'config.json')) ?? '{}') as { pidPath?: unknown };
    return typeof pidPath === 'string' ? pidPath : join(root, 'pids');
  } catch {
    return join(root, 'pids');
  }
}

function pidIn(path: string, files: Files): number {
  const text = (files.read(path) ?? '').trim();
  return /^\d{1,10}$/.test(text) ? Number(text) : -1;
}

/** What a shell, a terminal or a session sets for itself. */
const ofSession =
  /^(_|PWD|OLDPWD|SHLVL|TERM.*|COLUMNS|LINES|LS_COLORS|SSH_.*|XDG_.*|DBUS_.*|DISPLAY|WINDOWID|STY|TMUX.*|HIST.*|NODE_CHANNEL_.*|PS1|PROMPT.*|npm_.*)$/;

function appOf(
  { argv, cwd, env }: ProcessFacts,
  uid: string,
  context: ForeverSurroundings & { readonly names: Names },
): ForeignApp {
  const [program = '', script = '', ...args] = argv;
  const isScript = /^node(js)?$/.test(basename(program)) && script.startsWith('/');
  // A name that was made up says nothing.
  const wanted = isScript && /^[\w-]{4}$/.test(uid) && !isWord(uid) ? basename(script).replace(/\.[cm]?js$/, '') : uid;
  const draft = context.names.begin(wanted);
  if (wanted !== uid) draft.note(`Its uid is ${uid}.`);
  if (isScript) {
    draft.put('script', pathFrom(context.base, script));
    if (args.length > 0) draft.put('args', args);
    if (!/\.[cm]?js$/.test(script)) draft.put('interpreter', 'node');
  } else draft.put('command', argv);
  draft.put('cwd', cwdFrom(context.base, cwd));
  const own = Object.entries(env).filter(([name, value]) => !ofSession.test(name) && context.env[name] !== value);
  if (own.length > 0) {
    putEnv(draft, Object.fromEntries(own));
    draft.note(`From its environment, other than in this shell: ${listed(own.map(([name]) => name))}.`);
  }
  return draft.app();
}

/** forever makes four random letters and digits; a person's word has a vowel, no digit, and one case. */
const isWord = (uid: string): boolean => /^[a-z]+$/.test(uid) && /[aeiou]/.test(uid);

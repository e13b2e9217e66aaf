import { chmodSync, existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { readConfig } from '../../config/file/read-config.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import { nearest } from '../../config/nearest.ts';
import { separateLogs } from '../../foreign/separate-logs.ts';
import { escapeControls } from '../../host/bytes.ts';
import { errnoOf, replaceFile } from '../../host/files.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { type ImportKind, importKinds, type Loaded } from '../import-kinds.ts';
import { print, printJson, write } from '../output.ts';

const kindsInWords = Object.keys(importKinds).join(' | ');

export const command: Command = {
  name: 'import',
  usage: [
    'import <kind> [file…] [-o FILE]',
    'import forever -- <command line of forever>',
    'import pm2 --take-over [--only NAMES]',
  ],
  about: [
    "Reads another tool's files, and prints what they say as a stead.config.yaml. What has no equal here, or means something else, is a comment above the app that it concerns. Nothing is started, and nothing of the other tool is changed.",
    `Kinds: ${Object.keys(importKinds).join(', ')}. Without a file ${Object.entries(importKinds)
      .map(([name, { usual }]) => `${name} reads ${usual}`)
      .join('; ')}.`,
    'With --take-over the apps that pm2 runs are moved: ours is started on the sockets that theirs has, then theirs is ended, so that no connection is refused. If ours does not come up, theirs goes on.',
    'docs/migrate/ says what becomes of what, and how to change over.',
  ],
  examples: [
    ['stead import pm2 -o stead.config.yaml', 'what pm2 save has kept, or an ecosystem file'],
    ['stead import procfile -o stead.config.yaml', 'Procfile, .env, .foreman'],
    ['stead import supervisor /etc/supervisor/supervisord.conf', 'with what it includes'],
    ['stead import systemd web.service web.timer', 'files, or names of units'],
    ['stead import forever -- start -m 5 app.js --port 80', 'a command line'],
  ],
  flags: () => [
    { name: 'output', short: 'o', type: 'text', value: 'file', text: 'write it there, and not to stdout' },
    { name: 'force', short: 'f', type: 'boolean', text: 'write over a file that is there' },
    { name: 'formation', short: 'm', type: 'text', value: 'name=n,…', text: 'procfile: how many of each' },
    {
      name: 'port',
      short: 'p',
      type: 'integer',
      min: 1,
      max: 65_535,
      value: 'n',
      text: 'procfile: PORT of the first process',
    },
    { name: 'take-over', type: 'boolean', text: 'pm2: move what runs here, one app after the other, while it serves' },
    { name: 'only', type: 'texts', value: 'names', text: 'pm2: with --take-over, only these of its apps' },
    { name: 'whole-env', type: 'boolean', text: 'pm2: all of the environment, and not what this shell lacks' },
    { name: 'env-file', short: 'e', type: 'texts', value: 'file', text: 'procfile: in place of .env; may be repeated' },
  ],
  takesRest: true,
  run,
};

async function run({ home, words, rest, values, json }: Call): Promise<number> {
  const [name, ...files] = words;
  const kind = kindOf(name);
  checkFlags(name!, kind, values);
  if (rest !== null && kind.takesLine !== true)
    throw new SteadError('USAGE', `stead import ${name} takes files, and no command line after --`);
  const acting = kind.act?.({ home, words: files, rest, values, base: process.cwd() }) ?? null;
  if (acting !== null) return acting;
  const output = typeof values.output === 'string' ? resolve(values.output) : null;
  if (output !== null && values.force !== true && existsSync(output))
    throw new SteadError('NAME_TAKEN', `${JSON.stringify(values.output)} is there already`, {
      hint: '--force writes over it',
    });
  const base = output === null ? process.cwd() : dirname(output);
  const read = await kind.load({
    words: files,
    rest,
    values,
    base,
  });
  const loaded = { ...read, ...separateLogs(read, base) };
  const text = textOf(name!, loaded);
  if (output !== null) writeOut(output, text, loaded.isPrivate === true || read.sources.some(isPrivateFile));
  if (json) printJson({ apps: loaded.apps, notes: loaded.notes });
  else if (output === null) write(1, text);
  else
    print(
      `${countOf(loaded)} in ${escapeControls(String(values.output))}; stead apply ${escapeControls(String(values.output))} starts ${loaded.apps.length === 1 ? 'it' : 'them'}`,
    );
  return 0;
}

function kindOf(name: string | undefined): ImportKind {
  if (name !== undefined && Object.hasOwn(importKinds, name)) return importKinds[name]!;
  if (name === undefined) throw new SteadError('USAGE', `stead import needs a kind: ${kindsInWords}`);
  const near = nearest(name, Object.keys(importKinds));
  throw new SteadError('USAGE', `stead import has no kind ${JSON.stringify(name)}`, {
    hint: near === undefined ? `kinds: ${kindsInWords}` : `did you mean ${near}?`,
  });
}

function checkFlags(name: string, { flags = [] }: ImportKind, values: Call['values']): void {
  const common = ['output', 'force', 'json', 'help'];
  const stray = Object.keys(values).find((flag) => !common.includes(flag) && !flags.includes(flag));
  if (stray !== undefined) throw new SteadError('USAGE', `--${stray} means nothing for stead import ${name}`);
}

/** Read again as every config file is: what comes out is one that can be applied. */
function textOf(kind: string, { apps, notes, sources }: Loaded): string {
  const head = `Made by stead import ${kind} from ${sources.map((path) => shortPath(path)).join(', ')}.`;
  const text = writeConfig({ apps, notes: [head, ...notes] });
  readConfig(text, 'what was made of it', { env: {} });
  return text;
}

function shortPath(path: string): string {
  const short = path.startsWith('/') ? relative(process.cwd(), path) : path;
  return escapeControls(short === '' || short.startsWith('..') ? path : short);
}

/** What nobody else may read is not told to everybody by what is made of it. */
function isPrivateFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && (stats.mode & 0o044) === 0;
}

const countOf = ({ apps }: Loaded): string => `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}`;

function writeOut(path: string, text: string, isPrivate: boolean): void {
  try {
    replaceFile(path, text);
    if (!isPrivate) chmodSync(path, 0o666 & ~process.umask());
  } catch (error) {
    throw new SteadError('DISK', `${JSON.stringify(path)} can't be written: ${errnoOf(error)}`);
  }
}

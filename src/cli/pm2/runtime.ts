/** `stead-pm2 runtime`, and `stead-pm2-runtime`: pm2-runtime's command line, for containers. What it starts it shows, and ends with. */
import { basename, join } from 'node:path';
import { byteExactArgs } from '../../client/argv.ts';
import { sourceOfForeign } from '../../client/config/ecosystem.ts';
import type { LoadedConfig } from '../../client/config/load-config.ts';
import { readSource } from '../../config/file/read-config.ts';
import { quote } from '../../config/values.ts';
import { escapeControls } from '../../host/bytes.ts';
import { resolveHome } from '../../host/home.ts';
import { SteadError } from '../../protocol/errors.ts';
import { tellFailure } from '../failure.ts';
import type { LineForm } from '../follow-project.ts';
import { print, say } from '../output.ts';
import { ownVersion } from '../own-version.ts';
import { upProject } from '../up-project.ts';
import { type Pm2Line, parsePm2Line, runtimeFlags } from './line.ts';
import { type Asking, configOf, foreignOfScripts, isFile, usualFile } from './starting.ts';

const usage = `Usage: stead-pm2-runtime [start] <ecosystem.config.js|script> [options] [-- args]

Runs apps in the foreground, as the command of a container: shows what they print, ends all of them on SIGTERM or
SIGINT, and ends itself when none of them runs any more, with the exit code of the one that failed last.

  --only a,b  --env production    of a file: these of its apps, with its env_production
  --raw                           lines as they are printed, without the name before them
  --json, --format                lines as objects; as timestamp=… app=… id=… type=… message=…
  --no-auto-exit                  goes on when none of them runs any more
  --no-autorestart                what ends is not restarted
  --delay N                       waits N seconds first
  -s, --silent                    says nothing by itself but what went wrong

Of a script: options of pm2 start, see docs/migrate/pm2.md`;

/** Flags of the command that mean something here. */
const heeded = [
  'env',
  'only',
  'silent',
  'raw',
  'json',
  'format',
  'no-auto-exit',
  'delay',
  'help',
  'version',
  'no-daemon',
];

/** Resolves with the exit code: what became of the apps, or 1 if it failed itself. */
export async function runRuntime(argv = byteExactArgs()): Promise<number> {
  try {
    const line = parsePm2Line(argv, runtimeFlags);
    if (argv.length === 0 || line.own.help === true) return printUsage(argv.length === 0 ? 1 : 0);
    if (line.own.version === true) return printVersion();
    return await run(line);
  } catch (error) {
    return tellFailure(error, { json: false, exitOf: () => 1 });
  }
}

async function run(line: Pm2Line): Promise<number> {
  const own = (name: string) => {
    const value = line.own[name];
    return typeof value === 'string' ? value : undefined;
  };
  const asking: Asking = { cwd: process.cwd(), env: process.env, line: { ...line, notes: [] }, own };
  const isQuiet = line.own.silent === true;
  const delayMs = delayOf(own('delay'));
  const unheeded = Object.keys(line.own).filter((name) => !heeded.includes(name));
  const notes = [...line.notes, ...unheeded.map((name) => `--${name} has no effect on what runs in the foreground`)];
  const config = await loadAsked(asking, (note) => notes.push(note));
  if (!isQuiet) for (const note of notes) say(`[PM2][WARN] ${escapeControls(note)}`);
  return upProject(resolveHome(), config, {
    isPruned: false,
    isPartial: own('only') !== undefined,
    staysUp: line.own['no-auto-exit'] === true,
    ...{ isQuiet, delayMs, form: formOf(line) },
  });
}

/** A file, or scripts; `start` before them says nothing more. */
async function loadAsked(asking: Asking, note: (text: string) => void): Promise<LoadedConfig> {
  const { line } = asking;
  const words = line.words[0] === 'start' ? line.words.slice(1) : line.words;
  const [first = usualFile(asking), ...others] = words;
  if (!isFile(first)) {
    if (line.own.only !== undefined) note('--only: of a file alone');
    return scriptsConfig(asking, [first, ...others]);
  }
  if (others.length > 0)
    throw new SteadError('USAGE', `${quote(basename(first))} is a file of apps: nothing can be started beside it`, {
      hint: 'add it to the file',
    });
  const { autorestart, ...fields } = line.fields;
  const unheeded = [...Object.keys(fields), ...(line.rest === null ? [] : ['args'])];
  if (unheeded.length > 0) note(`${unheeded.join(', ')}: of a script alone; the file says it for its apps`);
  const config = await configOf(asking, first);
  if (autorestart !== false) return config;
  const apps = config.apps.map((app) => ({ ...app, options: { ...app.options, restart: 'no' as const } }));
  return { ...config, apps };
}

/** As if a file had said so: by its name it is the same one when the container starts again. */
function scriptsConfig(asking: Asking, scripts: readonly string[]): LoadedConfig {
  const { cwd } = asking;
  // What differs where a file says nothing is for who has a file.
  const { source, notes } = sourceOfForeign({ ...foreignOfScripts(asking, scripts), notes: [] });
  const apps = readSource(source, 'command line');
  const names = apps.flatMap(({ options }) => options.name ?? []);
  return { file: join(cwd, `${names.join(' ')} (command line)`), directory: cwd, project: 'pm2', apps, notes };
}

function formOf({ own }: Pm2Line): LineForm {
  if (own.json === true) return 'json';
  if (own.format === true) return 'pairs';
  return own.raw === true ? 'raw' : 'named';
}

/** More would overflow a timer. */
const mostDelaySeconds = 86_400;

/** Seconds. */
function delayOf(text = '0'): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= mostDelaySeconds) return seconds * 1000;
  throw new SteadError('USAGE', `--delay takes seconds, up to ${mostDelaySeconds}, not ${quote(text)}`);
}

function printUsage(code: number): number {
  print(usage);
  return code;
}

function printVersion(): number {
  print(ownVersion());
  return 0;
}

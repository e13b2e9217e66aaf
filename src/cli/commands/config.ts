import { stanzaOfApp } from '../../config/file/stanza.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import { nearest } from '../../config/nearest.ts';
import { escapeControls } from '../../host/bytes.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { SpecOptions } from '../../protocol/spec.ts';
import { configFlags, loadCalled } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, say, write } from '../output.ts';

export const command: Command = {
  name: 'config',
  usage: [
    'config check [config file] [-f FILE…] [--env PROFILE]',
    'config show [config file] [-f FILE…] [--env PROFILE] [--only NAMES]',
  ],
  about: [
    'Looks at a config file and does nothing. check says every mistake with its line. show prints what comes out of it as one stead.config.yaml: several files joined, variables and profiles filled in, defaults and groups in each app, JS and TS run.',
    'Neither asks the daemon: whether programs, directories and users are there is seen by stead apply --dry-run.',
  ],
  examples: [
    ['stead config check', 'stead.config.yaml, .json, .js or .ts in this directory'],
    ['stead config show -f base.yaml -f production.yaml --env production', 'what both say together'],
  ],
  flags: () => configFlags,
  run: config,
};

const actions: Readonly<Record<string, (call: Call) => Promise<number>>> = { check, show };

async function config(call: Call): Promise<number> {
  const [word = 'check', ...words] = call.words;
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action) return action({ ...call, words });
  const near = nearest(word, Object.keys(actions));
  throw new SteadError('USAGE', `There is no command "config ${word}"`, {
    hint: near ? `did you mean stead config ${near}?` : `stead config check ${word}`,
  });
}

async function check(call: Call): Promise<number> {
  const { apps, file, notes } = await loadCalled(call);
  for (const note of notes) say(escapeControls(note));
  if (call.json) printJson({ file, apps: apps.length, notes });
  else print(`${escapeControls(file)}: ${apps.length} ${apps.length === 1 ? 'app' : 'apps'}, no mistake`);
  return 0;
}

async function show(call: Call): Promise<number> {
  const { apps, notes } = await loadCalled(call);
  for (const note of notes) say(escapeControls(note));
  const stanzas = apps.map((app) => stanzaOfApp({ ...app, options: lastOfEach(app.options) }));
  if (call.json) printJson({ apps: stanzas });
  else write(1, writeConfig({ apps: stanzas.map((stanza) => ({ stanza, notes: [] })), notes: [] }));
  return 0;
}

/** Of a variable that is said several times what counts. */
function lastOfEach({ env, ...options }: SpecOptions): SpecOptions {
  if (env === undefined) return options;
  const byName = new Map(env.map((entry) => [entry.split('=', 1)[0]!, entry]));
  return { ...options, env: [...byName.values()] };
}

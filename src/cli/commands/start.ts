import { act } from '../../client/act.ts';
import { captureCaller } from '../../client/caller.ts';
import { isConfigFile } from '../../client/config/load-config.ts';
import { daemonNotes } from '../../client/daemon-notes.ts';
import { checkAssignment, type Flag, optionFlags, toSpecOptions } from '../../config/parse.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { StartedApp, StartRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { applyCalled } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';
import { sayWhatIsLeftOut } from '../left-out.ts';
import { isTerminal, print, printJson, say, terminalColumns, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { renderRows } from '../render/apps.ts';
import { painter } from '../render/colour.ts';
import { addresses, earlyLines, startedLine } from '../render/started.ts';

export const command: Command = {
  name: 'start',
  usage: ['start <script | command | config file | name…> [options] [-- args]', 'start [options] -- <command line>'],
  about: [
    'Starts a program in the background and keeps it running: after the terminal closes and after it crashes. It gets your environment, directory, umask and limits. What is running already is left alone.',
    'A script is run by what its extension or its first line names. Arguments for the program come after --.',
  ],
  examples: [
    ['stead start server.js', 'a script; it is called server'],
    ['stead start server.js --name web -- --port 8080', 'with a name, and arguments of its own'],
    ['stead start -- python3 -m http.server 8000', 'any command'],
    ['stead start web', 'an app that was stopped'],
    ['stead start server.js -i 4', 'four of it on one port; stead help instances'],
    ['stead start job.sh --restart on-failure --max-restarts 5', 'when and how often to start it again'],
  ],
  flags: () => [
    ...optionFlags('start').map((flag) => (flag.name === 'env' ? orProfile(flag) : flag)),
    { name: 'only', type: 'texts', value: 'names', text: 'of a config file: only these of its apps' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without a look at its first moments' },
  ],
  takesRest: true,
  strayHint: 'arguments for the program come after --: stead start server.js -- --port 8080',
  run: start,
};

/** Of a config file it names a profile: which of both it is, the words tell. */
const orProfile = (flag: Flag): Flag => ({ ...flag, value: 'NAME=value|profile' });

async function start(call: Call): Promise<number> {
  const { home, words, rest, values, json } = call;
  if (words.length === 0 && (rest === null || rest.length === 0)) throw nothingToStart();
  if (words.length === 1 && isConfigFile(words[0]!)) return startConfig(call);
  if (values.only !== undefined)
    throw new SteadError('USAGE', '--only is of a config file', { hint: 'stead start stead.config.yaml --only web' });
  for (const text of (values.env as readonly string[] | undefined) ?? []) checkAssignment(text, '-e');
  assertWritable(home);
  const caller = captureCaller();
  sayWhatIsLeftOut(values);
  daemonNotes.tell = say;
  const request: StartRequest = {
    targets: words,
    rest: rest ?? [],
    options: toSpecOptions(values),
    caller,
    wait: values['no-wait'] !== true,
    isHeld: values.autostart === false,
  };
  const what = escapeControls(words.join(' ') || (rest?.[0] ?? ''));
  const answer = await withProgress(`Starting ${what} …`, act(home, 'start', { body: request }));
  const apps = await withKeepers(answer.apps);
  const early = apps.filter((app) => app.early !== null);
  if (json && early.length > 0) throw endedEarly(apps, early[0]!);
  if (json) printJson(apps);
  else for (const app of apps) tell(app);
  return early.length > 0 ? 1 : 0;
}

/** What systemd keeps is for systemd to start. */
async function withKeepers(apps: readonly StartedApp[]): Promise<readonly StartedApp[]> {
  if (!apps.some(({ app }) => app.keeper)) return apps;
  const { doneByKeeper } = await import('../../client/kept/act.ts');
  const done = await doneByKeeper(
    apps.map((one) => ({ ...one, error: null })),
    'start',
  );
  const failed = done.find(({ error }) => error !== null);
  if (failed) throw SteadError.fromBody(failed.error!);
  return apps.map((one, at) => ({ ...one, app: done[at]!.app, changed: done[at]!.changed }));
}

/** The same as `apply`: what it takes is in the file, but for what says which part of it. */
function startConfig(call: Call): Promise<number> {
  const { words, values, rest } = call;
  const extra = Object.keys(values).filter((name) => !['no-wait', 'json', 'env', 'only'].includes(name));
  if (extra.length > 0 || rest !== null)
    throw new SteadError(
      'USAGE',
      `${JSON.stringify(words[0])} is a config file: options stand in it (--${extra[0] ?? ''})`,
      {
        hint: 'put them into the file, or use stead set afterwards',
      },
    );
  const profiles = (values.env as readonly string[] | undefined) ?? [];
  if (profiles.length > 1 || profiles.some((text) => text.includes('=')))
    throw new SteadError('USAGE', `${JSON.stringify(words[0])} is a config file: --env names a profile of it`, {
      hint: 'variables stand in the file: env: { NAME: value }',
    });
  const { env: _, ...others } = values;
  return applyCalled({ ...call, values: profiles.length === 0 ? others : { ...others, env: profiles[0]! } });
}

function nothingToStart(): SteadError {
  return new SteadError('USAGE', 'stead start needs a script, a command or the name of an app', {
    hint: 'stead start server.js, or stead start -- python3 -m http.server 8000',
  });
}

function endedEarly(apps: readonly StartedApp[], { app, early }: StartedApp): SteadError {
  return new SteadError('EXITED_EARLY', `${JSON.stringify(app.name)} ended at once: ${early!.exit.reason}`, {
    hint: early!.next,
    details: { apps },
  });
}

function tell(started: StartedApp): void {
  for (const note of started.notes) say(escapeControls(note));
  if (started.early) for (const line of earlyLines(started.app, started.early)) say(line);
  else if (isTerminal(1)) print(welcome(started).join('\n'));
  else print(startedLine(started));
}

/** On a terminal: the row, where it listens, the two commands that come next. */
function welcome(started: StartedApp): readonly string[] {
  const { app, changed, sockets } = started;
  const name = escapeControls(app.name);
  const listens = addresses(sockets);
  return [
    ...renderRows([app], { width: terminalColumns(), paint: painter(), nowMs: Date.now() }),
    '',
    ...(changed ? [] : [startedLine(started)]),
    ...(listens.length > 0 ? [`It listens on ${listens.join(', ')}.`] : []),
    `  stead logs -f ${name}    what it prints`,
    `  stead stop ${name}       end it`,
  ];
}

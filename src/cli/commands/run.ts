import { act } from '../../client/act.ts';
import { captureCaller } from '../../client/caller.ts';
import { daemonNotes } from '../../client/daemon-notes.ts';
import { optionFlags, toSpecOptions } from '../../config/parse.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { RunRequest, RunResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { flagsToCome } from '../flags-to-come.ts';
import { followJob } from '../follow-job.ts';
import { sayWhatIsLeftOut } from '../left-out.ts';
import { print, printJson, say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { commandExits, ownFailureExit } from '../program-exit.ts';
import { readApps } from '../reading.ts';

export const command: Command = {
  name: 'run',
  usage: ['run [options] [--] <command…>'],
  about: [
    'Runs a command once in the background, as nohup does, and returns at once: it survives the end of the terminal, its stdin is /dev/null, its output and its exit code are kept. stead wait hands the exit code over.',
    'With -f its output is shown as it comes, and the exit code is its own: 128+n if signal n killed it, 125 if stead itself failed, 126 if the command cannot be executed, 127 if there is none. Ctrl-C stops it; closing the terminal does not.',
    'Without --name it is called after what it runs, counted on: make, make-2; stead help names has the rule.',
  ],
  examples: [
    ['stead run make all', 'a job called make'],
    ['stead run --name backup -- rsync -a /data /mnt', 'with a name'],
    ['stead run --systemd -- ./import.sh', 'the same, kept by systemd'],
    ['stead run -f ./deploy.sh', 'stay, see its output, end with its exit code'],
  ],
  flags: () => [
    { name: 'follow', short: 'f', type: 'boolean', text: 'stay: show its output, end with its exit code' },
    { name: 'systemd', type: 'boolean', text: 'as a transient unit of systemd, which keeps it' },
    ...optionFlags('run'),
  ],
  takesRest: true,
  flagsToCome,
  stopAtWord: true,
  exitOf: ({ code }) => commandExits[code] ?? ownFailureExit,
  run,
};

async function run({ home, words, rest, values, json }: Call): Promise<number> {
  const line = [...words, ...(rest ?? [])];
  const isFollowing = values.follow === true;
  if (line.length === 0) throw new SteadError('USAGE', 'stead run needs a command', { hint: 'stead run make all' });
  if (isFollowing && values.cron !== undefined)
    throw new SteadError('USAGE', '-f waits for the end of a run, and a schedule has none', {
      hint: 'stead run --cron …, then: stead logs -f <name>',
    });
  if (json && isFollowing)
    throw new SteadError('USAGE', "-f prints the program's own output: --json has no place beside it");
  if (values.systemd === true && (isFollowing || values.cron !== undefined))
    throw new SteadError('USAGE', `--systemd and ${isFollowing ? '-f' : '--cron'} are not for one another`, {
      hint: isFollowing ? 'stead logs -f <name> afterwards' : 'stead run --cron …, then stead handoff <name>',
    });
  assertWritable(home);
  sayWhatIsLeftOut(values);
  daemonNotes.tell = say;
  const body: RunRequest = { command: line, options: toSpecOptions(values), caller: captureCaller() };
  const starting = values.systemd === true ? transient(home, body) : act(home, 'run', { body });
  const answer = await withProgress(`Starting ${escapeControls(line[0]!)} …`, starting);
  for (const note of answer.notes) say(escapeControls(note));
  if (isFollowing) return followJob(home, answer);
  if (json) printJson(answer);
  else print(startedJob(answer));
  return 0;
}

async function transient(home: string, body: RunRequest): Promise<RunResponse> {
  const { runTransient } = await import('../../client/kept/transient.ts');
  const answer = await runTransient(home, body);
  const app = (await readApps(home)).find(({ name }) => name === answer.app.name);
  return { ...answer, app: app ?? answer.app };
}

/** One line: its name, and where its output goes. */
function startedJob({ app, logs }: RunResponse): string {
  const pid = app.instances[0]?.pid ?? null;
  const state = pid === null ? app.state : `runs, pid ${pid}`;
  return `${escapeControls(app.name)} ${state}; output in ${escapeControls(logs.out)}`;
}

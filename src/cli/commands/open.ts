import { act } from '../../client/act.ts';
import { captureCaller } from '../../client/caller.ts';
import { optionFlags, toSpecOptions } from '../../config/parse.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { AppView, RunResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { isTerminal, print, printJson, say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { commandExits, ownFailureExit } from '../program-exit.ts';
import { readApps } from '../reading.ts';
import { detachKeysOf, enter, reachTerminal, terminalFlags } from '../terminal-session.ts';

/** What `--name` and `--tty` say is said by open itself. */
const ownFlags = ['name', 'tty', 'no-tty'];

export const command: Command = {
  name: 'open',
  usage: ['open [name] [-d | -A] [options] [-- command…]'],
  about: [
    'Starts a program in a terminal of its own and attaches to it: your shell, unless a command follows --. Ctrl-B and then d leaves it; it goes on when you leave, when your connection breaks, and when stead itself is killed. stead attach brings you back, stead stop ends it.',
    'It is a job: it runs once, its exit code, output and last screen are kept. stead start --tty gives a terminal to an app that is kept running.',
  ],
  examples: [
    ['stead open', 'a shell'],
    ['stead open build -- make -j8 all', 'a command in a session called build'],
    ['stead open -d build -- make all', 'do not attach'],
    ['stead open -A work', 'attach to work; make it if it is not there'],
  ],
  flags: () => [
    { name: 'detached', short: 'd', type: 'boolean', text: 'do not attach' },
    {
      name: 'attach-existing',
      short: 'A',
      type: 'boolean',
      text: 'attach, if a session of this name runs already; run it again, if it is over',
    },
    ...terminalFlags,
    ...optionFlags('run').filter(({ name }) => !ownFlags.includes(name)),
  ],
  takesRest: true,
  exitOf: ({ code }) => commandExits[code] ?? (ownFailures.includes(code) ? ownFailureExit : null),
  run,
};

/** Where the command is not at fault, and did not run. */
const ownFailures: readonly string[] = ['CWD_MISSING', 'LAUNCH_FAILED'];

async function run(call: Call): Promise<number> {
  const { home, words, values, json } = call;
  const [name, ...others] = words;
  if (others.length > 0)
    throw new SteadError('USAGE', `stead open takes one name; a command comes after --`, {
      hint: `stead open ${name} -- ${others.join(' ')}`,
    });
  const isDetached = values.detached === true;
  if (json && !isDetached)
    throw new SteadError('USAGE', 'an attached session prints itself: --json goes with --detached');
  assertWritable(home);
  detachKeysOf(values);
  const existing = name === undefined ? null : await known(call, name);
  const app = existing ?? (await make(call, name));
  if (json) printJson(app);
  else if (isDetached) print(`${escapeControls(app.name)} ${stateOf(app)}; stead attach ${escapeControls(app.name)}`);
  if (isDetached) return 0;
  return enter(home, await reachTerminal(home, app.name), values, { isFromStart: existing === null });
}

/** With -A the session of this name, which runs again if it is over. Else none may run under it; one that is over makes room. */
async function known({ home, rest, values }: Call, name: string): Promise<AppView | null> {
  const app = (await readApps(home)).find((one) => one.name === name);
  if (app === undefined) return null;
  const isUp = app.instances.some(({ pid }) => pid !== null);
  if (isUp && values['attach-existing'] === true) return app;
  if (isUp || app.kind !== 'job')
    throw new SteadError('NAME_TAKEN', `"${name}" is there already${isUp ? ', and runs' : ''}.`, {
      hint: isUp ? `stead attach ${name}; open -A does either` : `stead start ${name}, or another name`,
    });
  if (values['attach-existing'] !== true || (rest !== null && rest.length > 0)) {
    // What it is to run is said anew. Its log goes on.
    await act(home, 'delete', { body: { select: [name], caller: captureCaller(), wait: true, purge: false } });
    return null;
  }
  const body = { select: [name], caller: captureCaller(), wait: false, updateEnv: null };
  const { results } = await act(home, 'restart', { body });
  return results[0]!.app;
}

async function make({ home, rest, values }: Call, name: string | undefined): Promise<AppView> {
  const command = rest === null || rest.length === 0 ? [process.env.SHELL || '/bin/sh'] : rest;
  const size = isTerminal(1) && values['tty-size'] === undefined ? { ttySize: ownSize() } : {};
  const options = { ...toSpecOptions(values), ...size, tty: true, ...(name !== undefined && { name }) };
  const body = { command, options, caller: captureCaller() };
  const answer: RunResponse = await withProgress(
    `Starting ${escapeControls(command[0]!)} …`,
    act(home, 'run', { body }),
  );
  for (const note of answer.notes) say(escapeControls(note));
  if (answer.app.state === 'backoff') throw notStarted(answer.app);
  return answer.app;
}

/** As it is with any program, it is tried again. */
function notStarted({ name, reason }: AppView): SteadError {
  return new SteadError('LAUNCH_FAILED', `"${name}" did not start: ${reason}`, {
    hint: `stead delete ${escapeControls(name)} gives it up; stead doctor says what this machine lacks`,
  });
}

const ownSize = (): string => `${process.stdout.columns || 80}x${process.stdout.rows || 24}`;

function stateOf({ state, instances }: AppView): string {
  const pid = instances[0]?.pid ?? null;
  return pid === null ? state : `runs, pid ${pid}`;
}

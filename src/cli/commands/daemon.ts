import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDaemon, prepareLibrary } from '../../client/ensure-daemon.ts';
import { runForeground } from '../../client/foreground.ts';
import { request } from '../../client/http.ts';
import { endHungDaemon } from '../../client/hung-daemon.ts';
import { isDaemonDown, isSilent } from '../../client/unreachable.ts';
import { untilDaemonGone, untilDaemonStopped } from '../../client/until-stopped.ts';
import { nearest } from '../../config/nearest.ts';
import { unkept } from '../../logs/layout.ts';
import type { DaemonView } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { flag } from '../../systemd/manager.ts';
import type { Call, Command } from '../command.ts';
import { followShown, parseCount, plainly, showLogs } from '../log-output.ts';
import { print, printJson, withProgress } from '../output.ts';
import { ownVersion } from '../own-version.ts';
import { assertWritable } from '../ownership.ts';
import { localTime, shortSize } from '../render/units.ts';

export const command: Command = {
  name: 'daemon',
  usage: ['daemon status', 'daemon stop | restart', 'daemon run | prepare', 'daemon logs [-n N|all] [-f]'],
  about: [
    'The daemon is started by the first command that needs it. It may die or be restarted at any time: your programs run on, and the next daemon takes them over. `daemon run` keeps it in the foreground. `daemon prepare` only copies into the home what a unit or a crontab runs: lib/unit.sh.',
  ],
  examples: [
    ['stead daemon status', 'does it run, which version'],
    ['stead daemon restart', 'after an upgrade, or if it hangs'],
    ['stead daemon logs -n 50', 'what it has to say'],
  ],
  flags: () => [
    { name: 'lines', short: 'n', type: 'text', value: 'N|all', default: '20', text: 'logs: so many lines' },
    { name: 'follow', short: 'f', type: 'boolean', text: 'logs: and what comes' },
  ],
  run: daemon,
};

const actions: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  status,
  stop,
  restart,
  run,
  prepare,
  logs,
};

async function daemon(call: Call): Promise<number> {
  const [word = 'status'] = call.words;
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action) return action(call);
  const near = nearest(word, Object.keys(actions));
  const hint = near ? `did you mean stead daemon ${near}?` : `stead daemon ${Object.keys(actions).join('|')}`;
  throw new SteadError('USAGE', `There is no command "daemon ${word}"`, { hint });
}

/** Null if none runs. */
async function readStatus(home: string): Promise<DaemonView | null> {
  try {
    return await request(home, 'daemonStatus');
  } catch (error) {
    if (isDaemonDown(error)) return null;
    throw error;
  }
}

async function status({ home, json }: Call): Promise<number> {
  const view = (await readStatus(home)) ?? nobody(home);
  if (json) printJson(view);
  else if (!view.running) print(`The daemon is not running (home ${home}); the next command that acts starts it.`);
  else {
    const guardian = view.guardian === null ? '' : `, guardian ${view.guardian}`;
    const unit = view.unit ? `, kept by systemd (${flag(view.unit.scope)}${view.unit.name})` : '';
    print(`The daemon runs: pid ${view.pid}${guardian}, version ${view.version}${unit}`);
    print(
      `home ${view.home}${view.since ? `, since ${localTime(view.since)}` : ''}${view.memory ? `, memory ${shortSize(view.memory)}` : ''}`,
    );
  }
  return 0;
}

const nobody = (home: string): DaemonView => ({
  running: false,
  pid: null,
  guardian: null,
  unit: null,
  version: null,
  protocol: null,
  home,
  since: null,
  memory: null,
});

async function stop({ home, json }: Call): Promise<number> {
  assertWritable(home);
  const before = await readStatus(home);
  if (before?.unit) throw keptByUnit(before.unit);
  const runOn = before && (await hasPrograms(home)) ? '; your programs run on' : '';
  if (before) await withProgress('Stopping the daemon …', stopDaemon(home, before.pid));
  if (json) printJson({ ...nobody(home), changed: before !== null });
  else print(before ? `The daemon (pid ${before.pid}) has ended${runOn}.` : 'The daemon was not running.');
  return 0;
}

/** It would be back at once. */
const keptByUnit = ({ name, scope }: NonNullable<DaemonView['unit']>): SteadError =>
  new SteadError('UNSUPPORTED', `systemd keeps this daemon (${name}): it would start it again at once`, {
    hint: `systemctl ${flag(scope)}stop ${name} ends it and all apps; stead daemon restart replaces it; stead unstartup takes it out of systemd, and no app notices`,
  });

/** Whether anything runs that its daemon leaves behind. */
async function hasPrograms(home: string): Promise<boolean> {
  const apps = await request(home, 'list');
  return apps.some(({ instances }) => instances.some(({ pid }) => pid !== null));
}

async function stopDaemon(home: string, pid: number | null): Promise<void> {
  await request(home, 'daemonStop', { body: {}, timeoutMs: stopLimitMs });
  await untilDaemonStopped(home, pid);
}

/** It has nothing to wait for but its files. */
const stopLimitMs = 20_000;

async function restart({ home, json }: Call): Promise<number> {
  assertWritable(home);
  await withProgress('Restarting the daemon …', replaceDaemon(home));
  const view = await request(home, 'daemonStatus');
  if (json) printJson(view);
  else print(`The daemon runs: pid ${view.pid}, version ${view.version}`);
  return 0;
}

/** An older command takes no newer daemon's place. Throws VERSION_SKEW. */
function refuseNewer(version: string | null): void {
  if (version === null || !isLater(version, ownVersion())) return;
  throw new SteadError(
    'VERSION_SKEW',
    `The daemon is ${version}, newer than this command (${ownVersion()}); it was left as it is`,
    {
      hint: 'use the newer stead (which -a stead); to go back on purpose: stead daemon stop, then any command that starts something',
    },
  );
}

const isLater = (version: string, than: string): boolean =>
  version.localeCompare(than, 'en', { numeric: true, sensitivity: 'base' }) > 0;

async function replaceDaemon(home: string): Promise<void> {
  try {
    const before = await readStatus(home);
    refuseNewer(before?.version ?? null);
    // systemd may be faster to start one than this command.
    prepareLibrary(home);
    if (before) await stopDaemon(home, before.pid);
  } catch (error) {
    if (!isSilent(error)) throw error;
    await untilDaemonGone(endHungDaemon(home));
    // Its guardian has another of the same version up by now, or soon: that one can be asked to go.
    await ensureDaemon(home);
    const { pid } = await request(home, 'daemonStatus');
    await stopDaemon(home, pid);
  }
  await ensureDaemon(home);
}

async function prepare({ home, json }: Call): Promise<number> {
  assertWritable(home);
  const library = prepareLibrary(home);
  if (json) printJson({ library });
  else print(`${library} is what a unit of this home runs from now on.`);
  return 0;
}

function run({ home }: Call): Promise<number> {
  assertWritable(home);
  return runForeground(home);
}

async function logs({ home, values, json }: Call): Promise<number> {
  const file = join(home, 'daemon.log');
  if (!existsSync(file)) throw new SteadError('NOT_RUNNING', `There is no ${file}: no daemon has run here yet`);
  const isFollowed = values.follow === true;
  const shown = await showLogs(
    [{ place: unkept(file), prefix: '', label: { daemon: home } }],
    { ...plainly, lines: parseCount(values.lines), format: json ? 'json' : 'text' },
    { goesOn: isFollowed },
  );
  if (isFollowed) await followShown(shown, new AbortController().signal);
  return 0;
}

/**
 * adopt: takes over a program that somebody else started. From then on it is an app like the others, but for what only its parent could have: its exit code, its
 * stdout and stderr, and freedom from its terminal.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../../host/clock.ts';
import { isAlive, isDead, type ProcessId, processStat, signalProcess, ticksPerSecond } from '../../host/process.ts';
import type { Model } from '../../lifecycle/state.ts';
import { uptimeMs } from '../../metrics/cpu.ts';
import { processLine } from '../../metrics/process-line.ts';
import { checkName, countOn } from '../../programs/names.ts';
import { programOf, type RunningProgram } from '../../programs/of-process.ts';
import type { AdoptRequest, AdoptResponse, Caller } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { createApp, refuseLaterApp, removeApp } from '../../storage/apps.ts';
import { runDirectory } from '../../storage/layout.ts';
import { newState } from '../../storage/new-state.ts';
import { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import { checkedOptions, makeSpec } from '../make-spec.ts';
import { appViews } from '../view.ts';
import { askedBy } from './select.ts';
import { nextId } from './start.ts';

export async function adopt(daemon: Daemon, body: AdoptRequest): Promise<AdoptResponse> {
  const options = checkedOptions(body.options);
  const { pid } = body;
  const id = identify(pid);
  refuseOwn(daemon, id);
  refuseAsker(pid, body.caller?.pid);
  const found = await programOf(pid);
  if (found === null) throw unreadable(pid);
  if (options.name !== undefined) checkName(options.name);
  const resolved = {
    program: found.program,
    cwd: found.cwd,
    env: found.env,
    name: options.name ?? found.name,
    isNamed: options.name !== undefined,
    notes: [],
  };
  const caller: Caller = { ...found, pid, command: '' };
  const spec = await makeSpec({ kind: 'app', resolved, options, caller }, daemon.enforcement);
  if (options.name !== undefined && daemon.apps.has(options.name)) {
    throw new SteadError('NAME_TAKEN', `The name "${options.name}" is taken.`, { hint: 'choose another with --name' });
  }
  // It may have ended, and its pid be another's, while it was looked at.
  if (!isAlive(id)) throw gone(pid);
  const name = countOn(spec.name, (taken) => daemon.apps.has(taken));
  const app = takeOver(daemon, { spec: { ...spec, name }, id, by: askedBy(body) });
  const notes = notesOn(found, name);
  if (found.state === 'T') signalProcess(id, 'SIGCONT');
  return { app: appViews(daemon, [app])[0]!, notes };
}

/** Writes the record that a launcher would have written, and follows it. */
function takeOver(daemon: Daemon, { spec, id, by }: { spec: AppSpec; id: ProcessId; by: string }): App {
  const fresh = newState(nextId(daemon), by);
  const since = monotonicMs() - (uptimeMs() - (id.startTicks * 1000) / ticksPerSecond);
  const model: Model = { ...fresh.instances[0]!.model, state: { name: 'running', run: 1, since, until: null }, run: 1 };
  const sinceWall = fresh.instances[0]!.sinceWall - (monotonicMs() - since);
  const state = { ...fresh, instances: [{ ...fresh.instances[0]!, model, sinceWall }] };
  const directory = runDirectory(daemon.home, spec.name, 0, 1);
  refuseLaterApp(daemon.home, spec.name);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // No launcher: its place in the record is 0.
    for (const file of ['claim', `run.${id.pid}.${id.startTicks}.0.0`])
      closeSync(openSync(join(directory, file), 'w', 0o600));
    createApp(daemon.home, { spec, state });
  } catch (error) {
    removeApp(daemon.home, spec.name);
    throw error;
  }
  const app = new App(daemon, { spec, state });
  daemon.apps.set(spec.name, app);
  app.instances[0]!.adoptRun();
  app.instances[0]!.resume();
  return app;
}

function identify(pid: unknown): ProcessId {
  if (!Number.isInteger(pid) || (pid as number) < 1) throw new SteadError('BAD_REQUEST', `"${String(pid)}" is no pid.`);
  const stat = processStat(pid as number);
  if (stat === null || isDead(stat)) throw gone(pid as number);
  return { pid: pid as number, startTicks: stat.startTicks };
}

/** Neither init, nor stead itself, nor what is an app's already. */
function refuseOwn(daemon: Daemon, { pid }: ProcessId): void {
  const refuse = (why: string, hint: string) =>
    new SteadError('NOT_ADOPTABLE', `Process ${pid} can't be adopted: ${why}.`, { hint });
  if (pid === 1) throw refuse('it is init', 'init keeps itself');
  if (pid === process.pid || pid === daemon.guardianPid()) throw refuse('it is stead itself', 'stead daemon status');
  for (const app of daemon.apps.values()) {
    for (const instance of app.all) {
      const isItsOwn =
        instance.launcher?.pid === pid ||
        (instance.program !== null && instance.tree.members().some((member) => member.pid === pid));
      if (isItsOwn) throw refuse(`it belongs to the app "${app.name}"`, `stead show ${app.name}`);
    }
  }
}

/** To stop it would end who asks: his shell, his terminal. */
function refuseAsker(pid: number, asker: unknown): void {
  if (typeof asker !== 'number') return;
  for (let at = asker; at > 1; at = processStat(at)?.ppid ?? 0) {
    if (at !== pid) continue;
    throw new SteadError(
      'NOT_ADOPTABLE',
      `Process ${pid} (${processLine(pid) ?? 'gone'}) can't be adopted: this command runs in it.`,
      { hint: 'to stop it would end what you work in; for a job of this shell: stead adopt $(jobs -p)' },
    );
  }
}

const gone = (pid: number) =>
  new SteadError('NO_SUCH_PROCESS', `There is no process ${pid}.`, {
    hint: 'jobs -p shows the pids of this shell’s jobs, ps -ef all',
  });

const unreadable = (pid: number) =>
  new SteadError('NOT_PERMITTED', `Process ${pid} (${processLine(pid) ?? 'gone'}) is another user's or the kernel's.`, {
    hint: 'only a program of your own can be adopted; root can adopt any',
  });

/** What can't be had is said at once, with what to do. */
function notesOn({ outputs, terminal, state }: RunningProgram, name: string): string[] {
  const places = [...new Set(outputs)].join(' and ');
  return [
    ...(state === 'T' ? ['it was stopped (Ctrl-Z) and was continued: a stopped program dies with its terminal'] : []),
    `its output stays where it goes: ${places}; its exit code can't be known. stead restart ${name} starts it anew with a log and an exit code`,
    ...(terminal === null
      ? []
      : [
          `its terminal is ${terminal}: closing that still reaches it, unless the shell was told otherwise (disown -h), or it is restarted: stead restart ${name}`,
        ]),
  ];
}

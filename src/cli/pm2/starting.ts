/** `start`, and what else takes an ecosystem file: scripts by themselves, files, JSON from stdin, apps that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { act } from '../../client/act.ts';
import { foreignOf, sourceOfForeign } from '../../client/config/ecosystem.ts';
import { type LoadedConfig, loadConfig } from '../../client/config/load-config.ts';
import { valueSource } from '../../config/file/document.ts';
import { readSource } from '../../config/file/read-config.ts';
import type { Foreign } from '../../foreign/model.ts';
import { parseEcosystemText } from '../../foreign/pm2/read-text.ts';
import type { StartRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { apply } from '../apply-config.ts';
import { say } from '../output.ts';
import { earlyLines } from '../render/started.ts';
import { slotKey } from './book.ts';
import { isUp, type Process } from './processes.ts';
import { meantBy } from './select.ts';
import type { Session } from './session.ts';

export type FileVerb = 'start' | 'restart' | 'reload';

/** A config file, by its name or by `-`: no other file is called so. */
export const isFile = (word: string): boolean =>
  word === '-' || (/\.(json5?|ya?ml)$|\.config\.[cm]?[jt]s$/i.test(word) && existsSync(word));

/** What a file or a script is read with. */
export type Asking = Pick<Session, 'cwd' | 'env' | 'line' | 'own'>;

export async function start(session: Session): Promise<void> {
  const { line } = session;
  // Who says so counts on it not to return: a container would end.
  if (line.own['no-daemon'] === true)
    throw new SteadError('UNSUPPORTED', 'stead-pm2 start has no --no-daemon', {
      hint: 'stead-pm2 runtime, or stead up ecosystem.config.js, runs it in the foreground, as PID 1 too',
    });
  const words = line.words.length > 0 ? line.words : [usualFile(session)];
  for (const word of words) {
    if (isFile(word)) await startFile(session, word, 'start');
    else if (isKnown(session, word)) await startKnown(session, word);
    else await startScript(session, word);
  }
}

export function usualFile({ cwd }: Asking): string {
  const found = ['ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.config.mjs', 'ecosystem.json'].find((name) =>
    existsSync(join(cwd, name)),
  );
  if (found !== undefined) return found;
  throw new SteadError('USAGE', 'What shall be started? There is no ecosystem.config.js here', {
    hint: 'stead-pm2 start app.js',
  });
}

/** An app that is there, and no file of that name. */
const isKnown = (session: Session, word: string): boolean =>
  meantBy(session.processes, word).length > 0 && !existsSync(resolve(session.cwd, word));

/** What runs is restarted, what does not is started. */
async function startKnown(session: Session, word: string): Promise<void> {
  for (const { app, select, processes } of session.meant([word])) {
    const isRunning = processes.some(({ instance }) => isUp(instance));
    if (isRunning)
      await restartMeant(session, { select, keys: processes.map(({ instance }) => slotKey(app, instance.index)) });
    else {
      const body: StartRequest = { targets: [app.name], rest: [], options: {}, caller: session.caller(), wait: true };
      await tellStarted(session, body);
    }
    session.tell(`[${app.name}] ✓`);
  }
  await session.look();
}

export async function restartMeant(
  session: Session,
  { select, keys }: { readonly select: readonly string[]; readonly keys: readonly string[] },
): Promise<void> {
  const isUpdated = session.line.own['update-env'] === true;
  await session.act('restart', select, { updateEnv: isUpdated ? session.caller() : null });
  session.book.countAsked(keys);
}

/** A script or a line for the shell, with the flags as its fields. */
async function startScript(session: Session, script: string): Promise<void> {
  const { apps } = foreignOfScripts(session, [script]);
  const [{ stanza, notes }] = apps as [(typeof apps)[0]];
  const name = ownName(session, String(stanza.name));
  for (const note of notes) session.warn(`${name}: ${note}`);
  const [read] = readSource(valueSource({ apps: [{ ...stanza, name }] }), 'command line');
  if (read!.kind === 'job') return runJob(session, { ...stanza, name });
  await tellStarted(session, {
    targets: read!.script === null ? [] : [read!.script],
    rest: read!.script === null ? [...read!.command, ...read!.args] : read!.args,
    options: read!.options,
    caller: session.caller(),
    wait: true,
    isHeld: read!.options.autostart === false,
  });
  await session.look();
  const count = session.processes.filter((process) => process.app.name === name).length;
  session.tell(`App [${name}] launched (${count} instances)`);
}

/** Each a script or a line for the shell, with the flags as its fields. */
export function foreignOfScripts(asking: Asking, scripts: readonly string[]): Foreign {
  const { line, cwd, env } = asking;
  const apps = scripts.map((script) => ({ script, ...line.fields, ...(line.rest !== null && { args: line.rest }) }));
  return foreignOf({ apps }, join(cwd, 'command line'), { cwd, env, profile: asking.own('env') ?? null });
}

/** Its schedule makes a job of it, which is applied. */
async function runJob(session: Session, stanza: Readonly<Record<string, unknown>>): Promise<void> {
  const apps = readSource(valueSource({ apps: [stanza] }), 'command line');
  const file = join(session.cwd, `${String(stanza.name)} (command line)`);
  await applyAll(session, { file, directory: session.cwd, project: 'pm2', apps, notes: [] }, 'start');
}

/** A second one of a name needs `-f`, and gets a number. */
function ownName(session: Session, name: string): string {
  const taken = new Set(session.apps.map((app) => app.name));
  if (!taken.has(name)) return name;
  if (session.line.own.force !== true)
    throw new SteadError('NAME_TAKEN', `Script already launched as "${name}", add -f to start another`, {
      hint: `stead-pm2 restart ${name}`,
    });
  for (let number = 2; ; number++) if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
}

async function tellStarted(session: Session, body: StartRequest): Promise<void> {
  const { apps } = await act(session.home, 'start', { body });
  for (const { app, early, notes } of apps) {
    for (const note of notes) session.warn(note);
    // pm2 starts what ends at once, and so do scripts that go by its exit code.
    if (early) for (const text of earlyLines(app, early)) say(text);
  }
}

/** As `start` has it: what is new or was stopped is started, what runs is restarted. */
export async function startFile(session: Session, word: string, verb: FileVerb): Promise<void> {
  await applyAll(session, await configOf(session, word), verb);
}

/** Its process is the one that was there before. */
function isAsBefore({ app, instance }: Process, before: ReadonlyMap<string, Process>): boolean {
  const earlier = before.get(slotKey(app, instance.index));
  return instance.pid !== null && earlier?.instance.pid === instance.pid;
}

export async function configOf(session: Asking, word: string): Promise<LoadedConfig> {
  const { cwd, env, line } = session;
  const only = (session.own('only') ?? '').split(',').filter(Boolean);
  const options = { cwd, env, profile: session.own('env') ?? null, only };
  if (word !== '-') return loadConfig([word], options);
  const file = join(cwd, '-.json');
  const { source, notes } = sourceOfForeign(
    foreignOf(parseEcosystemText(readFileSync(0, 'utf8'), file), file, options),
  );
  return {
    file,
    directory: dirname(file),
    project: 'pm2',
    apps: readSource(source, 'stdin'),
    notes: [...notes, ...line.notes],
  };
}

async function applyAll(session: Session, config: LoadedConfig, verb: FileVerb): Promise<void> {
  const before = new Map(
    session.processes
      .filter(({ instance }) => isUp(instance))
      .map((one) => [slotKey(one.app, one.instance.index), one]),
  );
  const options = { isPruned: false, isDryRun: false, isAwaited: true, isPartial: true };
  const answer = await apply(session.home, config, options);
  for (const note of answer.notes) session.warn(note);
  for (const { error } of answer.apps) if (error !== null && error.code !== 'EXITED_EARLY') session.fail(error);
  const running = [...before.values()];
  const all = new Set(answer.apps.map(({ name }) => name));
  await session.look();
  // What the file says may be what is said already, or need no other run, or another number of them: whoever asks wants new ones.
  const names = [...all].filter((name) =>
    session.processes.some((one) => one.app.name === name && isAsBefore(one, before)),
  );
  if (names.length > 0 && verb === 'reload') await session.reload(names, null);
  else if (names.length > 0) await session.act('restart', names, { updateEnv: null });
  await session.look();
  session.book.countAsked(
    running.filter(({ app }) => all.has(app.name)).map(({ app, instance }) => slotKey(app, instance.index)),
  );
  for (const { name, change } of answer.apps)
    session.tell(
      `App [${name}] ${change === 'new' ? 'launched' : running.some(({ app }) => app.name === name) ? `${verb === 'reload' ? 'reloaded' : 'restarted'}` : 'launched'}`,
    );
}

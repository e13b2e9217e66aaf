/** `restart`, `reload`, `stop`, `delete` and the like: to processes by their numbers and names, or to the apps of a file. */
import { foreignOf } from '../../client/config/ecosystem.ts';
import { valueSource } from '../../config/file/document.ts';
import { readSource } from '../../config/file/read-config.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { SpecOptions } from '../../protocol/spec.ts';
import { slotKey } from './book.ts';
import { isUp } from './processes.ts';
import type { Meant } from './select.ts';
import type { Session } from './session.ts';
import { configOf, isFile, restartMeant, startFile } from './starting.ts';

const keysOf = ({ app, processes }: Meant): readonly string[] =>
  processes.map(({ instance }) => slotKey(app, instance.index));

/** Files are applied, everything else is done to what is meant. */
async function each(
  session: Session,
  onFile: (word: string) => Promise<void>,
  onMeant: (meant: Meant) => Promise<void>,
): Promise<void> {
  const { words } = session.line;
  const others = words.filter((word) => !isFile(word));
  for (const word of words) if (isFile(word)) await onFile(word);
  if (others.length === 0 && words.length > 0) return;
  for (const meant of session.meant(others)) await onMeant(meant);
  await session.look();
}

export const restart = (session: Session): Promise<void> =>
  each(
    session,
    (word) => startFile(session, word, 'restart'),
    async (meant) => {
      await setFields(session, meant);
      await restartMeant(session, { select: meant.select, keys: keysOf(meant) });
      session.tell(`[${meant.app.name}](${meant.processes.map(({ id }) => id).join(',')}) ✓`);
    },
  );

export const reload = (session: Session): Promise<void> =>
  each(
    session,
    (word) => startFile(session, word, 'reload'),
    async (meant) => {
      await setFields(session, meant);
      const updateEnv = session.line.own['update-env'] === true ? session.caller() : null;
      // One instance by itself has no other to serve meanwhile.
      if (meant.isWhole) await session.reload(meant.select, updateEnv);
      else await session.act('restart', meant.select, { updateEnv });
      session.book.countAsked(keysOf(meant));
      session.tell(`[${meant.app.name}](${meant.processes.map(({ id }) => id).join(',')}) ✓`);
    },
  );

export const stop = (session: Session): Promise<void> =>
  ending(session, async (meant) => {
    if (!meant.isWhole) throw partly(meant, 'stopped');
    await session.act('stop', meant.select);
    session.tell(`[${meant.app.name}](${meant.processes.map(({ id }) => id).join(',')}) ✓`);
  });

export const remove = (session: Session): Promise<void> =>
  ending(session, async (meant) => {
    if (meant.isWhole) await session.act('delete', meant.select, { purge: false });
    else await session.act('scale', [meant.app.name], { to: `-${meant.processes.length}` });
    session.tell(`[${meant.app.name}](${meant.processes.map(({ id }) => id).join(',')}) ✓`);
  });

/** Of a file those of its apps that are there. */
const ending = (session: Session, onMeant: (meant: Meant) => Promise<void>): Promise<void> =>
  each(
    session,
    async (word) => {
      const names = (await configOf(session, word)).apps.flatMap(({ options }) => options.name ?? []);
      const there = names.filter((name) => session.apps.some((app) => app.name === name));
      if (there.length === 0) throw new SteadError('APP_NOT_FOUND', `No app of ${word} is there`);
      for (const meant of session.meant(there)) await onMeant(meant);
      await session.look();
    },
    onMeant,
  );

const partly = ({ app }: Meant, what: string): SteadError =>
  new SteadError('UNSUPPORTED', `One instance of "${app.name}" alone can't be ${what}`, {
    hint: `stead-pm2 scale ${app.name} N, or stead-pm2 stop ${app.name}`,
  });

/** Flags of `restart` are new values of the app's options. */
async function setFields(session: Session, { app }: Meant): Promise<void> {
  const { fields } = session.line;
  if (Object.keys(fields).length === 0) return;
  const { cwd, env } = session;
  const foreign = foreignOf({ apps: [{ script: process.execPath, ...fields }] }, `${cwd}/command line`, { cwd, env });
  const usual = foreignOf({ apps: [{ script: process.execPath }] }, `${cwd}/command line`, { cwd, env });
  const { name: _, ...said } = foreign.apps[0]!.stanza;
  const [read] = readSource(valueSource({ apps: [{ ...said, name: app.name }] }), 'command line');
  const [without] = readSource(valueSource({ apps: [{ ...usual.apps[0]!.stanza, name: app.name }] }), 'command line');
  const set = Object.entries(read!.options).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(without!.options[key as keyof SpecOptions]),
  );
  const unset = fields.cron_restart === undefined || set.some(([key]) => key === 'cron') ? [] : ['cron'];
  const isOff = fields.watch === false ? ['watch'] : [];
  await session.act('set', [app.name], {
    set: Object.fromEntries(set),
    unset: [...unset, ...isOff],
    caller: session.caller(),
  });
}

export async function sendSignal(session: Session): Promise<void> {
  const [signal, ...words] = session.line.words;
  if (signal === undefined) throw new SteadError('USAGE', 'Which signal? stead-pm2 sendSignal SIGUSR2 web');
  for (const { app, select } of session.meant(words)) {
    await session.act('signal', select, { signal });
    session.tell(`${signal} sent to [${app.name}]`);
  }
}

export async function scale(session: Session): Promise<void> {
  const [name, to] = session.line.words;
  if (name === undefined || to === undefined || !/^[+-]?\d+$/.test(to))
    throw new SteadError('USAGE', 'stead-pm2 scale <name> <number>, +N or -N');
  for (const { app } of session.meant([name])) {
    const before = app.instances.filter(({ role }) => role === undefined).length;
    if (String(before) === to)
      throw new SteadError('BAD_REQUEST', `Nothing to do: "${app.name}" has ${before} instances`);
    await session.act('scale', [app.name], { to });
    session.tell(`[${app.name}] scaled to ${to}`);
  }
  await session.look();
}

export async function reset(session: Session): Promise<void> {
  for (const meant of session.meant()) {
    await session.act('reset', [meant.app.name]);
    session.book.forgetAsked(keysOf(meant));
    session.tell(`Counters of [${meant.app.name}] are 0`);
  }
  await session.look();
}

export async function flush(session: Session): Promise<void> {
  const { words } = session.line;
  const names = words.length === 0 ? session.apps.map(({ name }) => name) : session.meant().map(({ app }) => app.name);
  if (names.length > 0) await session.act('flush', names);
  session.tell('Logs flushed');
}

/** All of them end, and the daemon with them; `resurrect` has back those that ran. */
export async function kill(session: Session): Promise<void> {
  const running = session.processes.filter(({ instance }) => isUp(instance));
  session.book.save([...new Set(running.map(({ app }) => app.name))]);
  const names = session.apps.map(({ name }) => name);
  if (names.length > 0) await session.act('stop', names);
}

/** `stead-pm2 <command> …`: pm2's command line for the scripts that have it. Every failure ends with 1, as with pm2. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { act } from '../../client/act.ts';
import { byteExactArgs } from '../../client/argv.ts';
import { captureCaller, whoAsks } from '../../client/caller.ts';
import { ensureDaemon } from '../../client/ensure-daemon.ts';
import { nearest } from '../../config/nearest.ts';
import { resolveHome } from '../../host/home.ts';
import { SteadError } from '../../protocol/errors.ts';
import { command as logsCommand } from '../commands/logs.ts';
import { tellFailure } from '../failure.ts';
import { print } from '../output.ts';
import { ownVersion } from '../own-version.ts';
import { flush, kill, reload, remove, reset, restart, scale, sendSignal, stop } from './acting.ts';
import { instead } from './instead.ts';
import { type Pm2Line, parsePm2Line } from './line.ts';
import { runRuntime } from './runtime.ts';
import { Session } from './session.ts';
import { describe, env, id, jlist, list, pid, ping, prettylist } from './showing.ts';
import { start } from './starting.ts';

type Verb = (session: Session) => void | Promise<void>;

/** With the table behind it, as pm2 does. */
const thenList =
  (verb: Verb): Verb =>
  async (session) => {
    await verb(session);
    await list(session);
  };

const verbs: Readonly<Record<string, Verb>> = {
  start: thenList(start),
  restart: thenList(restart),
  reload: thenList(reload),
  gracefulReload: thenList(reload),
  softReload: thenList(reload),
  startOrRestart: thenList(restart),
  startOrReload: thenList(reload),
  startOrGracefulReload: thenList(reload),
  stop: thenList(stop),
  delete: thenList(remove),
  del: thenList(remove),
  scale: thenList(scale),
  reset: thenList(reset),
  list,
  ls: list,
  l: list,
  ps: list,
  status: list,
  jlist,
  slist: jlist,
  prettylist,
  describe,
  show: describe,
  info: describe,
  desc: describe,
  pid,
  id,
  env,
  ping,
  sendSignal,
  flush,
  logs,
  log: logs,
  save,
  dump: save,
  resurrect: thenList(resurrect),
  kill: killAll,
  update,
  reloadLogs: (session) => session.tell('Log files that are moved or removed are noticed by themselves'),
  cleardump: (session) => session.book.save([]),
};

const usage = `Usage: stead-pm2 <command> [options]

pm2's command line, for scripts that have it; all of stead is behind the command stead.

  start <script|file|name> [options] [-- args]     restart reload stop delete <id|name|namespace|/re/|all|file|->
  list  jlist  prettylist  describe <id>  pid  env <id>  logs  flush  reset
  scale <name> <n>  sendSignal <signal> <id>  save  resurrect  kill  ping
  startOrRestart <file>  startOrReload <file>
  runtime <file|script>     in the foreground, for containers: as stead-pm2-runtime

Options of start: those of pm2, see docs/migrate/pm2.md`;

/** Resolves with the exit code. */
export async function runPm2(argv = byteExactArgs()): Promise<number> {
  try {
    const [verb, ...rest] = argv;
    if (verb === undefined || verb === '--help' || verb === '-h') return printUsage(verb === undefined ? 1 : 0);
    if (verb === '-v' || verb === '-V' || verb === '--version') return printVersion();
    if (verb === 'runtime') return await runRuntime(rest);
    const known = Object.hasOwn(verbs, verb) ? verbs[verb]! : unknownVerb(verb);
    const line = parsePm2Line(rest);
    if (line.own.help === true) return printUsage(0);
    return await run(known, line);
  } catch (error) {
    return tellFailure(error, { json: false, exitOf: () => 1 });
  }
}

async function run(verb: Verb, line: Pm2Line): Promise<number> {
  const session = await Session.open(resolveHome(), line);
  for (const note of line.notes) session.warn(note);
  await verb(session);
  if (line.own.attach === true && session.code === 0) await logs(session);
  return session.code;
}

function printUsage(code: number): number {
  print(usage);
  return code;
}

function printVersion(): number {
  print(ownVersion());
  return 0;
}

function unknownVerb(word: string): never {
  if (Object.hasOwn(instead, word)) throw new SteadError('UNSUPPORTED', `stead-pm2 has no "${word}": ${instead[word]}`);
  const near = nearest(word, [...Object.keys(verbs), 'runtime']);
  throw new SteadError('USAGE', `There is no command ${JSON.stringify(word)}`, {
    hint: near === undefined ? 'stead-pm2 --help' : `did you mean stead-pm2 ${near}?`,
  });
}

/** pm2 follows unless it is told not to. */
async function logs(session: Session): Promise<void> {
  const { line } = session;
  const meant = line.words.length === 0 ? [] : session.meant();
  const words = meant.flatMap(({ select }) => select);
  const values = {
    lines: session.own('lines') ?? '15',
    follow: line.own.nostream !== true,
    ...(line.own.raw === true && { raw: true }),
    ...(line.own.err === true && { err: true }),
    ...(line.own.out === true && { out: true }),
    ...(line.own.timestamp !== undefined && { timestamps: true }),
  };
  session.code = await logsCommand.run({
    home: session.home,
    words,
    values,
    rest: null,
    json: line.own.json === true,
    isVerbGiven: true,
  });
}

/** All is kept as it is asked for; which of it runs is noted for `resurrect`. */
function save(session: Session): void {
  const running = session.apps.filter(({ want }) => want === 'running').map(({ name }) => name);
  if (running.length === 0 && session.line.own.force !== true) {
    session.warn('Nothing runs: what was saved stays; --force saves an empty list');
    return;
  }
  session.book.save(running);
  session.tell('Saved: what you ask for is kept when the command returns');
}

async function resurrect(session: Session): Promise<void> {
  await ensureDaemon(session.home);
  await session.look();
  const { saved } = session.book;
  const stopped = session.apps.filter(({ name, want }) => want !== 'running' && saved?.includes(name));
  if (stopped.length > 0) {
    const body = {
      targets: stopped.map(({ name }) => name),
      rest: [],
      options: {},
      caller: captureCaller(),
      wait: true,
    };
    await act(session.home, 'start', { body });
  }
  await session.look();
}

async function killAll(session: Session): Promise<void> {
  await kill(session);
  if (existsSync(join(session.home, 'stead.sock')))
    await act(session.home, 'daemonStop', { body: { caller: whoAsks() } });
  session.tell('All applications stopped, daemon stopped');
}

async function update(session: Session): Promise<void> {
  session.tell('stead daemon restart brings up this version; no app notices');
}

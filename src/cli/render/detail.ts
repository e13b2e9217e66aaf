/** Everything about one app, for a person: `show`. */
import { escapeControls } from '../../host/bytes.ts';
import type { AppDetail, ExitView, HeldSocket, InstanceView, TerminalView } from '../../protocol/api.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { colourOfState, type Paint } from './colour.ts';
import { reloadInWords, roleInWords } from './instances.ts';
import { addresses } from './started.ts';
import { localTime, longDuration, shortPercent, shortSize } from './units.ts';

export interface DetailOptions {
  readonly paint: Paint;
  readonly nowMs: number;
  readonly showEnv: boolean;
}

/** So many earlier runs are shown; all are in `--json`. */
const exitsShown = 10;

type Row = readonly [label: string, text: string];

/** All of it, as lines. */
export function renderDetail(app: AppDetail, options: DetailOptions): string[] {
  return [
    ...rows([...headRows(app, options), ...app.instances.flatMap((one) => instanceRows(one, app, options))]),
    ...rows([...programRows(app.spec), ...optionRows(app.spec), ...placeRows(app)]),
    ...section(
      'processes',
      app.processes.map(({ pid, ppid, command }) => `${pid} (parent ${ppid}) ${escapeControls(command)}`),
    ),
    ...section('sockets', (app.held ?? []).map(heldLine)),
    ...section(
      'ended',
      app.exits.slice(-exitsShown).map((exit) => exitLine(exit, app)),
    ),
    ...section('environment', options.showEnv ? app.env.map(escapeControls) : []),
    ...(options.showEnv
      ? []
      : rows([['environment', `${app.env.length} variables: stead show ${escapeControls(app.name)} --show-env`]])),
  ];
}

const labelWidth = 13;
function rows(list: readonly Row[]): string[] {
  const width = Math.max(labelWidth, ...list.map(([label]) => label.length));
  return list.map(([label, text]) => `${label.padEnd(width)} ${text}`);
}
const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

function headRows(app: AppDetail, { paint }: DetailOptions): Row[] {
  const reason = app.reason === null ? '' : `: ${escapeControls(app.reason)}`;
  const wanted =
    app.want === app.state || (app.want === 'running' && app.state === 'completed')
      ? []
      : [['wanted', app.want] as const];
  const reload = reloadInWords(app, escapeControls(app.name));
  return [
    ['name', `${paint(escapeControls(app.name), 'bold')} (${app.kind}, id ${app.id})`],
    ['state', paint(app.state, colourOfState[app.state]) + reason],
    ...wanted,
    ...(reload === null ? [] : [['reload', reload] as const]),
    ...(app.spec.share.instances === null ? [] : [['instances', String(app.spec.share.instances)] as const]),
    ...(app.group === null ? [] : [['group', escapeControls(app.group)] as const]),
    ['made', localTime(app.createdAt)],
  ];
}

function instanceRows(one: InstanceView, app: AppDetail, { nowMs }: DetailOptions): Row[] {
  const parts = [
    ...(app.instances.length > 1 ? [one.state] : []),
    ...(one.pid === null ? [] : [`pid ${one.pid}`]),
    ...(one.since === null ? [] : [`${one.state} for ${longDuration(nowMs - Date.parse(one.since))}`]),
    `${one.restarts} ${one.restarts === 1 ? 'restart' : 'restarts'}`,
    ...(one.cpu === null ? [] : [`cpu ${shortPercent(one.cpu)}`]),
    ...(one.memory === null ? [] : [`memory ${shortSize(one.memory)}`]),
    ...(one.terminal ? [terminalPart(one.terminal)] : []),
  ];
  return [[app.instances.length > 1 ? `instance ${one.index}${roleInWords(one)}` : 'run', parts.join(', ')]];
}

function terminalPart({ cols, rows: lines, clients, title }: TerminalView): string {
  const who = clients === 0 ? 'nobody attached' : `${clients} attached`;
  return `terminal ${cols}x${lines}, ${who}${title === '' ? '' : `, title "${escapeControls(title)}"`}`;
}

function programRows({ program, cwd, user }: AppSpec): Row[] {
  const { interpreter } = program;
  const words = [...(interpreter ? [interpreter.path, ...interpreter.args] : []), ...program.words];
  return [
    ['command', words.map(shellWord).join(' ') + (program.how === 'shell' ? '  (run by sh -c)' : '')],
    ['directory', escapeControls(cwd)],
    ...(user === null ? [] : [['user', `${escapeControls(user.name)} (uid ${user.uid}, gid ${user.gid})`] as const]),
  ];
}

function optionRows(spec: AppSpec): Row[] {
  const codes = spec.stopExitCodes.length === 0 ? '' : `, not after exit code ${spec.stopExitCodes.join(', ')}`;
  const most = spec.maxRestarts === null ? '' : `, ${spec.maxRestarts} times at most`;
  return [
    ['restart', `${spec.restart}${codes}${most}`],
    [
      'stop',
      `${spec.stopSignals.map(({ signal }) => signal).join(', ')}, SIGKILL after ${longDuration(spec.stopTimeoutMs)}`,
    ],
    ...socketRows(spec),
    ...watchRows(spec),
    ['umask', spec.umask.toString(8).padStart(4, '0')],
  ];
}

/** What a change of does what. */
function watchRows({ watch }: AppSpec): Row[] {
  // A daemon of an earlier version tells nothing of it.
  if (!watch) return [];
  const { paths, before, onBusy, ext } = watch;
  const gate = before === null ? '' : `, if this passes: ${before}`;
  const files = ext === null ? 'all files' : ext.join(' ');
  return [['watched', escapeControls(`${paths.join(', ')} (${files}): ${onBusy}${gate}`)]];
}

/** The sockets that it is given, and whether a connection starts it. */
function socketRows({ share: { listen, onDemand, idleTimeoutMs } }: AppSpec): Row[] {
  if (listen.length === 0) return [];
  const idle = idleTimeoutMs === null ? '' : `, stopped after ${longDuration(idleTimeoutMs)} without one`;
  const given = listen.map((one) =>
    one.kind === 'unix'
      ? one.path
      : `${one.host === null ? '' : `${one.host}:`}${one.port}${one.kind === 'udp' ? ' (UDP)' : ''}`,
  );
  return [
    ['given', given.map(escapeControls).join(', ')],
    ...(onDemand ? [['on demand', `started by its first connection${idle}`] as const] : []),
  ];
}

function placeRows({ logs, sockets, instances }: AppDetail): Row[] {
  const listens = addresses(sockets);
  const whose = instances.length > 1 ? '  (instance 0; the others beside it)' : '';
  return [
    ['output', `${escapeControls(logs.out)}${whose}`],
    ['errors', `${escapeControls(logs.err)}${whose}`],
    ...(listens.length === 0 ? [] : [['listens on', listens.join(', ')] as const]),
  ];
}

/** `port 5000, queue 0, accepted by 0 (pid 12), 1 (pid 13)`. */
function heldLine({ key, address, queue, accepting, isPathTaken }: HeldSocket): string {
  const who = accepting.map(({ index, pid }) => `${index} (pid ${pid})`).join(', ');
  const parts = [
    placeInWords(address),
    ...(queue === null ? [] : [`queue ${queue}`]),
    key.startsWith('udp') ? `read by ${who || 'nobody'}` : `accepted by ${who || 'nobody'}`,
    ...(isPathTaken ? ['another file is at its path'] : []),
  ];
  return parts.join(', ');
}

/** `port 5000` for one on all addresses; some are in words already. */
function placeInWords(address: string): string {
  const port = /^(?:0\.0\.0\.0|\[::\]):(\d+)$/.exec(address)?.[1];
  return port === undefined ? escapeControls(address) : `port ${port}`;
}

function exitLine({ at, index, run, pid, upMs, reason, cause = null }: ExitView, { instances }: AppDetail): string {
  const when = at === null ? 'at an unknown time' : localTime(at);
  const lived = upMs === null ? '' : ` after ${longDuration(upMs)}`;
  const which = index === undefined || instances.length < 2 ? '' : `instance ${index}, `;
  return `${when}  ${which}run ${run}${pid === null ? '' : `, pid ${pid}`}: ${escapeControls(reason)}${lived}${cause === null ? '' : ` (${escapeControls(cause)})`}`;
}

/** A word as one could type it into a shell. */
function shellWord(word: string): string {
  const shown = escapeControls(word);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

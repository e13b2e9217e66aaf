/** Everything about one app, for a person: `show`. */
import { escapeControls } from '../../host/bytes.ts';
import type { AppDetail, ExitView, InstanceView } from '../../protocol/api.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { colourOfState, type Paint } from './colour.ts';
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
    ...section('ended', app.exits.slice(-exitsShown).map(exitLine)),
    ...section('environment', options.showEnv ? app.env.map(escapeControls) : []),
    ...(options.showEnv
      ? []
      : rows([['environment', `${app.env.length} variables: stead show ${escapeControls(app.name)} --show-env`]])),
  ];
}

const labelWidth = 13;
const rows = (list: readonly Row[]) => list.map(([label, text]) => `${label.padEnd(labelWidth)} ${text}`);
const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

function headRows(app: AppDetail, { paint }: DetailOptions): Row[] {
  const reason = app.reason === null ? '' : `: ${escapeControls(app.reason)}`;
  const wanted =
    app.want === app.state || (app.want === 'running' && app.state === 'completed')
      ? []
      : [['wanted', app.want] as const];
  return [
    ['name', `${paint(escapeControls(app.name), 'bold')} (${app.kind}, id ${app.id})`],
    ['state', paint(app.state, colourOfState[app.state]) + reason],
    ...wanted,
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
  ];
  return [[app.instances.length > 1 ? `instance ${one.index}` : 'run', parts.join(', ')]];
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
    ['umask', spec.umask.toString(8).padStart(4, '0')],
  ];
}

function placeRows({ logs, sockets }: AppDetail): Row[] {
  const listens = addresses(sockets);
  return [
    ['output', escapeControls(logs.out)],
    ['errors', escapeControls(logs.err)],
    ...(listens.length === 0 ? [] : [['listens on', listens.join(', ')] as const]),
  ];
}

function exitLine({ at, run, pid, upMs, reason }: ExitView): string {
  const when = at === null ? 'at an unknown time' : localTime(at);
  const lived = upMs === null ? '' : ` after ${longDuration(upMs)}`;
  return `${when}  run ${run}${pid === null ? '' : `, pid ${pid}`}: ${escapeControls(reason)}${lived}`;
}

/** A word as one could type it into a shell. */
function shellWord(word: string): string {
  const shown = escapeControls(word);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

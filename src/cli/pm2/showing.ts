/** `list`, `jlist`, `describe` and the like. */
import { escapeControls } from '../../host/bytes.ts';
import type { AppDetail } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { print, printJson, terminalColumns, write } from '../output.ts';
import { painter } from '../render/colour.ts';
import { renderTable } from '../render/table.ts';
import { shortDuration, shortPercent, shortSize } from '../render/units.ts';
import { entryOf, filesOf, modeOf, type Process, scriptOf, statusOf, versionOf } from './processes.ts';
import type { Session } from './session.ts';

const details = async (session: Session): Promise<ReadonlyMap<string, AppDetail>> =>
  new Map(await Promise.all(session.apps.map(async ({ name }) => [name, await session.detail(name)] as const)));

const columns = [
  { title: 'id', align: 'right' as const },
  { title: 'name', least: 12 },
  { title: 'namespace', least: 8 },
  { title: 'version' },
  { title: 'mode' },
  { title: 'pid', align: 'right' as const },
  { title: 'uptime', align: 'right' as const },
  { title: '↺', align: 'right' as const },
  { title: 'status' },
  { title: 'cpu', align: 'right' as const },
  { title: 'mem', align: 'right' as const },
  { title: 'user' },
  { title: 'watching' },
];

/** A row for each process. */
export async function list(session: Session): Promise<void> {
  if (session.isSilent) return;
  const all = await details(session);
  const rows = session.processes.map((process) => row(process, all.get(process.app.name)!, session));
  const lines = renderTable(
    columns,
    rows.map((cells) => cells.map((text) => ({ text: escapeControls(text) }))),
    {
      width: terminalColumns(),
      paint: painter(),
    },
  );
  print(lines.join('\n'));
}

function row({ id, app, instance }: Process, detail: AppDetail, { book }: Session): readonly string[] {
  const upMs = instance.since === null || instance.pid === null ? null : Date.now() - Date.parse(instance.since);
  return [
    String(id),
    app.name,
    app.group ?? 'default',
    versionOf(scriptOf(detail)),
    modeOf(detail).replace('_mode', ''),
    String(instance.pid ?? 0),
    upMs === null ? '0' : shortDuration(upMs),
    String(instance.restarts + book.askedFor(app, instance.index)),
    statusOf(instance),
    instance.cpu === null ? '0%' : shortPercent(instance.cpu),
    instance.memory === null ? '0' : shortSize(instance.memory),
    detail.spec.user?.name ?? process.env.USER ?? '',
    detail.spec.watch === null ? 'disabled' : 'enabled',
  ];
}

async function entries(session: Session): Promise<readonly Record<string, unknown>[]> {
  const all = await details(session);
  return session.processes.map((process) => entryOf(process, all.get(process.app.name)!, session.book));
}

export async function jlist(session: Session): Promise<void> {
  write(1, `${JSON.stringify(await entries(session))}\n`);
}

export async function prettylist(session: Session): Promise<void> {
  write(1, `${JSON.stringify(await entries(session), null, 2)}\n`);
}

/** A line for each thing that is known of a process. */
export async function describe(session: Session): Promise<void> {
  for (const { app, processes } of session.meant()) {
    const detail = await session.detail(app.name);
    for (const process of processes) {
      const { pm2_env: env } = entryOf(process, detail, session.book) as { readonly pm2_env: Record<string, unknown> };
      const logs = filesOf(detail, process.instance.index);
      const facts = {
        status: env.status,
        name: app.name,
        namespace: env.namespace,
        version: env.version,
        restarts: env.restart_time,
        uptime: process.instance.since,
        'script path': env.pm_exec_path,
        'script args': (env.args as readonly string[]).join(' ') || 'N/A',
        'error log path': logs.err,
        'out log path': logs.out,
        interpreter: env.exec_interpreter,
        'interpreter args': (env.node_args as readonly string[]).join(' ') || 'N/A',
        'script id': process.id,
        'exec cwd': env.pm_cwd,
        'exec mode': env.exec_mode,
        'node.js version': env.node_version ?? 'N/A',
        'watch & reload': env.watch !== false,
        'unstable restarts': env.unstable_restarts,
        'created at': app.createdAt,
        why: process.instance.reason ?? app.reason ?? '',
      };
      print(`Describing process with id ${process.id} - name ${escapeControls(app.name)}`);
      for (const [name, value] of Object.entries(facts)) print(`  ${name.padEnd(18)} ${escapeControls(String(value))}`);
    }
  }
}

export function pid(session: Session): void {
  const { words } = session.line;
  const chosen = words.length === 0 ? session.processes : session.meant().flatMap(({ processes }) => processes);
  for (const { instance } of chosen) print(String(instance.pid ?? 0));
}

export function id(session: Session): void {
  const chosen =
    session.line.words.length === 0 ? [] : session.processes.filter(({ app }) => session.line.words.includes(app.name));
  print(`[ ${chosen.map((process) => process.id).join(', ')} ]`);
}

/** The environment of one process. */
export async function env(session: Session): Promise<void> {
  const [first] = session.meant();
  if (first === undefined) throw new SteadError('APP_NOT_FOUND', 'No process found');
  const { env: entries } = await session.detail(first.app.name);
  for (const entry of entries) print(escapeControls(entry.replace('=', ': ')));
}

export function ping(): void {
  printJson({ msg: 'pong' });
}

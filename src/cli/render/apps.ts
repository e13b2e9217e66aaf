/** The table of `list`: one row per app, the reasons of what isn't well, a line that sums up. */
import { escapeControls } from '../../host/bytes.ts';
import type { AppView, InstanceView, StateName } from '../../protocol/api.ts';
import { colourOfState } from './colour.ts';
import { mainOf, reloadInWords, roleInWords } from './instances.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import { shortDuration, shortPercent, shortSize } from './units.ts';

export interface ListOptions extends TableOptions {
  readonly nowMs: number;
  /** One row per instance. */
  readonly perInstance?: boolean;
}

const columns: readonly Column[] = [
  { title: 'id', align: 'right' },
  { title: 'name', least: 12 },
  { title: 'state' },
  { title: 'up', align: 'right' },
  { title: 'restarts', align: 'right' },
  { title: 'cpu', align: 'right' },
  { title: 'memory', align: 'right' },
  { title: 'ports', least: 8 },
];
/** Only where an app has one. */
const terminalColumn: Column = { title: 'terminal' };

/** The whole answer of `list`, as lines. */
export function renderApps(apps: readonly AppView[], options: ListOptions): string[] {
  const reasons = apps.flatMap((app) => [
    ...(isUnwell(app) ? [reasonLine(app, options)] : []),
    ...reloadLine(app, options),
  ]);
  return [...renderRows(apps, options), ...(reasons.length > 0 ? ['', ...reasons] : []), '', summary(apps)];
}

/** Only the table. */
export function renderRows(apps: readonly AppView[], options: ListOptions): string[] {
  const rows = apps.flatMap((app) =>
    options.perInstance && app.instances.length > 1
      ? app.instances.map((one) => row(app, [one], options))
      : [row(app, app.instances, options)],
  );
  const hasTerminals = apps.some(({ instances }) => instances.some(({ terminal }) => terminal));
  if (hasTerminals) return renderTable([...columns, terminalColumn], rows, options);
  return renderTable(
    columns,
    rows.map((cells) => cells.slice(0, columns.length)),
    options,
  );
}

function row(app: AppView, instances: readonly InstanceView[], { nowMs, perInstance }: ListOptions): Cell[] {
  const isOneOfMany = perInstance && app.instances.length > 1;
  const main = isOneOfMany ? instances : mainOf(instances);
  const count = main.length > 1 ? ` ×${main.length}` : '';
  const state = isOneOfMany ? instances[0]!.state : app.state;
  return [
    { text: String(app.id) },
    { text: escapeControls(app.name) + (isOneOfMany ? `:${instances[0]!.index}${roleInWords(instances[0]!)}` : count) },
    { text: state, colour: colourOfState[state] },
    { text: upTime(main, nowMs) },
    { text: String(sum(main.map((one) => one.restarts)) ?? 0) },
    { text: orDash(sum(instances.map((one) => one.cpu)), shortPercent) },
    { text: orDash(sum(instances.map((one) => one.memory)), shortSize) },
    { text: app.ports.length === 0 ? '-' : app.ports.map(escapeControls).join(',') },
    { text: terminalInWords(main) },
  ];
}

/** `80x24, 2 attached` */
function terminalInWords(instances: readonly InstanceView[]): string {
  const { terminal } = instances[0] ?? {};
  if (!terminal) return '-';
  const { cols, rows, clients } = terminal;
  return `${cols}x${rows}${clients === 0 ? '' : `, ${clients} attached`}`;
}

/** Since when the longest running instance runs. */
function upTime(instances: readonly InstanceView[], nowMs: number): string {
  const since = instances.flatMap(({ state, since }) => (state === 'running' && since ? [Date.parse(since)] : []));
  return since.length === 0 ? '-' : shortDuration(nowMs - Math.min(...since));
}

/** Null if there is nothing to add up. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

const orDash = (value: number | null, render: (value: number) => string) => (value === null ? '-' : render(value));

const failing: readonly StateName[] = ['failed', 'stuck', 'backoff'];
const isFailing = ({ state }: AppView) => failing.includes(state);

/** What has a reason that a person should read: what fails, waits, or isn't as wanted. */
function isUnwell(app: AppView): boolean {
  const isWanted =
    app.state === 'running' || app.state === 'completed' || (app.state === 'stopped' && app.want !== 'running');
  return app.reason !== null && (isFailing(app) || !isWanted || app.state === 'running');
}

function reasonLine(app: AppView, { paint }: TableOptions): string {
  return `${paint(escapeControls(app.name), colourOfState[app.state])}: ${app.state}: ${escapeControls(app.reason ?? '')}`;
}

function reloadLine(app: AppView, { paint }: TableOptions): string[] {
  const name = escapeControls(app.name);
  const words = reloadInWords(app, name);
  return words === null ? [] : [`${paint(name, 'bold')}: ${words}`];
}

/** `12 apps, 1 failing: stead show worker`. */
function summary(apps: readonly AppView[]): string {
  const failed = apps.filter(isFailing);
  const count = `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}`;
  return failed.length === 0
    ? count
    : `${count}, ${failed.length} failing: stead show ${escapeControls(failed[0]!.name)}`;
}

/** pm2's command line: flags may stand anywhere before `--`, and some take the next word only if it looks like a value. */
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';
import { SteadError } from '../../protocol/errors.ts';

interface Flag {
  readonly names: readonly string[];
  /** `optional` takes the next word unless that is a flag; `list` may be repeated. */
  readonly kind: 'flag' | 'value' | 'optional' | 'list' | 'optional-list';
  /** The field of an ecosystem file that it is; null: of the command, or of no effect. */
  readonly field: string | null;
  /** In place of `true`. */
  readonly is?: boolean;
  /** Of no effect, for this reason. */
  readonly why?: string;
}

const flag = (names: string, kind: Flag['kind'], field: string | null = null, more: Partial<Flag> = {}): Flag => ({
  names: names.split(' '),
  kind,
  field,
  ...more,
});
const unmeasured = { why: 'nothing is put into the program to measure it' };

const flags: readonly Flag[] = [
  flag('-n --name', 'value', 'name'),
  flag('--namespace', 'value', 'namespace'),
  flag('--interpreter', 'value', 'exec_interpreter'),
  flag('--interpreter-args --node-args', 'value', 'node_args'),
  flag('-o --output', 'value', 'out_file'),
  flag('-e --error', 'value', 'error_file'),
  flag('-l --log', 'optional', 'log_file'),
  flag('--filter-env', 'list'),
  flag('--log-type', 'value', 'log_type'),
  flag('--log-date-format', 'value', 'log_date_format'),
  flag('--time', 'flag', 'time'),
  flag('--disable-logs', 'flag', 'disable_logs'),
  flag('-i --instances', 'value', 'instances'),
  flag('--shutdown-with-message', 'flag', 'shutdown_with_message'),
  flag('-p --pid', 'value', 'pid_file'),
  flag('-k --kill-timeout', 'value', 'kill_timeout'),
  flag('--listen-timeout', 'value', 'listen_timeout'),
  flag('--max-memory-restart', 'value', 'max_memory_restart'),
  flag('--restart-delay', 'value', 'restart_delay'),
  flag('--exp-backoff-restart-delay', 'value', 'exp_backoff_restart_delay'),
  flag('-x --execute-command', 'flag', 'execute_command'),
  flag('--max-restarts', 'value', 'max_restarts'),
  flag('--uid', 'value', 'uid'),
  flag('--gid', 'value', 'gid'),
  flag('--cwd', 'value', 'cwd'),
  flag('-c --cron --cron-restart', 'value', 'cron_restart'),
  flag('--source-map-support', 'flag', 'source_map_support'),
  flag('--disable-source-map-support', 'flag', 'disable_source_map_support'),
  flag('--wait-ready', 'flag', 'wait_ready'),
  flag('--merge-logs', 'flag', 'merge_logs'),
  flag('--watch', 'optional-list', 'watch'),
  flag('--ignore-watch', 'list', 'ignore_watch'),
  flag('--watch-delay', 'value', 'watch_delay'),
  flag('--no-autostart', 'flag', 'autostart', { is: false }),
  flag('--no-autorestart', 'flag', 'autorestart', { is: false }),
  flag('--stop-exit-codes', 'list', 'stop_exit_codes'),
  flag('--no-treekill', 'flag', 'treekill', { is: false }),
  // Of the command.
  flag('--env', 'value'),
  flag('--only', 'value'),
  flag('-a --update-env', 'flag'),
  flag('-f --force', 'flag'),
  flag('-s --silent', 'flag'),
  flag('--attach', 'flag'),
  flag('-m --mini-list', 'flag'),
  flag('--sort', 'value'),
  flag('--lines', 'value'),
  flag('--raw', 'flag'),
  flag('--err', 'flag'),
  flag('--out', 'flag'),
  flag('--json', 'flag'),
  flag('--format', 'flag'),
  flag('--timestamp', 'optional'),
  flag('--nostream', 'flag'),
  flag('--highlight', 'optional'),
  flag('-h --help', 'flag'),
  flag('-v -V --version', 'flag'),
  flag('--no-daemon', 'flag'),
  // Of no effect.
  flag('--parallel', 'value', null, { why: 'a reload replaces one after the other; stead reload --parallel N' }),
  flag('-w --write', 'flag', null, { why: 'no file is written; stead export does' }),
  flag('--no-color', 'flag', null, { why: '' }),
  flag('--no-vizion', 'flag', null, { why: '' }),
  flag('--no-pmx', 'flag', null, { why: '' }),
  flag('--no-automation', 'flag', null, { why: '' }),
  flag('--disable-trace', 'flag', null, { why: '' }),
  flag('--trace', 'flag', null, unmeasured),
  flag('--v8', 'flag', null, unmeasured),
  flag('--event-loop-inspector', 'flag', null, unmeasured),
  flag('--deep-monitoring', 'flag', null, unmeasured),
  flag('-u --user', 'value', null, { why: 'there is no start-up script that it could be for' }),
  flag('--hp', 'value', null, { why: 'there is no start-up script that it could be for' }),
  flag('--service-name', 'value', null, { why: 'there is no start-up script that it could be for' }),
  flag('--wait-ip', 'flag', null, { why: 'there is no start-up script that it could be for' }),
  flag('--ext', 'value', null, { why: 'all files are watched' }),
];

const unsent = { why: 'nothing is sent anywhere' };

/** Of `runtime` alone. */
export const runtimeFlags: readonly Flag[] = [
  flag('--no-auto-exit', 'flag'),
  flag('--delay', 'value'),
  flag('--secret', 'value', null, unsent),
  flag('--public', 'value', null, unsent),
  flag('--machine-name', 'value', null, unsent),
  flag('--web', 'optional', null, { why: 'stead has no web server of its own' }),
];

export interface Pm2Line {
  readonly words: readonly string[];
  /** What came after `--`. */
  readonly rest: readonly string[] | null;
  /** Fields of an app, as an ecosystem file has them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Flags of the command, by their long names. */
  readonly own: Readonly<Record<string, string | true | readonly string[]>>;
  readonly notes: readonly string[];
}

/** Throws USAGE for a flag that pm2 has not, or that lacks its value. */
export function parsePm2Line(argv: readonly string[], more: readonly Flag[] = []): Pm2Line {
  const all = [...flags, ...more];
  const words: string[] = [];
  const fields: Record<string, unknown> = {};
  const own: Record<string, string | true | readonly string[]> = {};
  const notes: string[] = [];
  let rest: readonly string[] | null = null;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      rest = argv.slice(at + 1);
      break;
    }
    if (!word.startsWith('-') || word === '-' || /^-\d+$/.test(word)) {
      words.push(word);
      continue;
    }
    const [, shown, attached] = /^(--[^=]+|-.)(?:=(.*))?$/s.exec(word) ?? [undefined, word];
    const known = all.find(({ names }) => names.includes(shown!)) ?? unknownFlag(shown!, all);
    const next = argv[at + 1];
    const isNextTaken = attached === undefined && takesNext(known, next);
    const given = attached ?? (isNextTaken ? next : undefined);
    if (given === undefined && (known.kind === 'value' || known.kind === 'list'))
      throw new SteadError('USAGE', `${shown} needs a value`);
    if (isNextTaken) at += 1;
    if (known.why !== undefined) {
      if (known.why !== '') notes.push(`${shown} has no effect: ${known.why}`);
    } else if (known.field === null) own[nameOf(known)] = joined(own[nameOf(known)], known, given);
    else fields[known.field] = fieldValue(known, given, fields[known.field]);
  }
  return { words, rest, fields, own, notes };
}

const nameOf = ({ names }: Flag): string => names.at(-1)!.replace(/^--/, '');

function takesNext({ kind }: Flag, next: string | undefined): boolean {
  if (next === undefined || kind === 'flag') return false;
  if (kind === 'value' || kind === 'list') return next !== '--';
  return !next.startsWith('-');
}

function joined(
  before: string | true | readonly string[] | undefined,
  { kind }: Flag,
  given: string | undefined,
): string | true | readonly string[] {
  if (kind !== 'list') return given ?? true;
  return [...(Array.isArray(before) ? before : []), given!];
}

function fieldValue({ field, kind, is }: Flag, given: string | undefined, before: unknown): unknown {
  if (kind === 'flag') return is ?? true;
  if (field === 'watch_delay') return watchDelay(given!);
  if (field === 'stop_exit_codes')
    return [...(Array.isArray(before) ? before : []), ...given!.split(/[\s,]+/).filter(Boolean)];
  if (kind === 'list' || kind === 'optional-list')
    return given === undefined ? true : [...(Array.isArray(before) ? before : []), given];
  return given ?? true;
}

/** Seconds, unless it says `ms`. */
function watchDelay(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  if (digits === undefined) throw new SteadError('USAGE', `--watch-delay takes seconds, or 4000ms, not ${quote(text)}`);
  return Number(digits) * (unit === 'ms' ? 1 : 1000);
}

function unknownFlag(shown: string, all: readonly Flag[]): never {
  const near = shown.startsWith('--')
    ? nearest(
        shown,
        all.flatMap(({ names }) => names),
      )
    : undefined;
  throw new SteadError('USAGE', `There is no option ${quote(shown)}`, {
    hint: near === undefined ? 'options of the program come after --' : `did you mean ${near}?`,
  });
}

/**
 * The fields of an app in pm2's files: their names, the other names that they have, and what a value may be. A value is honoured as it is written, also where it is 0 or
 * false, which pm2 itself loses in keys with an underscore. Source: pm2 7.0.4 as it behaves.
 */
import { nearest } from '../../config/nearest.ts';
import { quote } from '../../config/values.ts';

type Kind = 'text' | 'number' | 'boolean' | 'list' | 'map';

interface Field {
  readonly key: string;
  readonly aliases?: readonly string[];
  /** Empty: it is not looked at. */
  readonly kinds: readonly Kind[];
}

const field = (key: string, kinds: string, aliases = ''): Field => ({
  key,
  kinds: kinds === '' ? [] : (kinds.split('|') as Kind[]),
  ...(aliases !== '' && { aliases: aliases.split(' ') }),
});

const fields = [
  field('name', 'text|number'),
  field('script', 'text', 'exec cmd command'),
  field('namespace', 'text'),
  field('cwd', 'text'),
  field('args', 'list|text|number'),
  field('exec_interpreter', 'text', 'interpreter'),
  field('node_args', 'list|text', 'interpreter_args'),
  field('exec_mode', 'text'),
  field('instances', 'number|text'),
  field('out_file', 'text', 'out output out_log'),
  field('error_file', 'text', 'error err err_file err_log'),
  field('log_file', 'boolean|text', 'log'),
  field('disable_logs', 'boolean'),
  field('log_type', 'text'),
  field('log_date_format', 'text'),
  field('time', 'boolean'),
  field('merge_logs', 'boolean', 'combine_logs'),
  field('pid_file', 'text', 'pid'),
  field('env', 'map'),
  field('filter_env', 'boolean|list|text'),
  field('watch', 'boolean|list|text'),
  field('ignore_watch', 'list|text'),
  field('watch_options', 'map'),
  field('watch_delay', 'number'),
  field('max_memory_restart', 'text|number'),
  field('min_uptime', 'number|text'),
  field('max_restarts', 'number'),
  field('restart_delay', 'number'),
  field('exp_backoff_restart_delay', 'number'),
  field('autorestart', 'boolean'),
  field('autostart', 'boolean'),
  field('stop_exit_codes', 'list|number'),
  field('cron_restart', 'text|number', 'cron'),
  field('wait_ready', 'boolean'),
  field('listen_timeout', 'number'),
  field('kill_timeout', 'number'),
  field('kill_retry_time', 'number'),
  field('shutdown_with_message', 'boolean'),
  field('treekill', 'boolean'),
  field('force', 'boolean'),
  field('append_env_to_name', 'boolean'),
  field('post_update', 'list'),
  field('port', 'number'),
  field('uid', 'number|text', 'user'),
  field('gid', 'number|text'),
  field('username', ''),
  field('increment_var', 'text'),
  field('instance_var', 'text'),
  field('source_map_support', 'boolean'),
  field('disable_source_map_support', 'boolean'),
  field('execute_command', 'boolean'),
  field('name_prefix', ''),
  field('install_url', ''),
  field('write', ''),
  field('vizion', ''),
  field('vizion_running', ''),
  field('pmx', ''),
  field('automation', ''),
  field('trace', ''),
  field('disable_trace', ''),
  field('v8', ''),
  field('event_loop_inspector', ''),
  field('deep_monitoring', ''),
  field('io', ''),
  field('windowsHide', ''),
] as const;

/** `exec_mode` → `execMode`. */
const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** Every word that names a field, with the field; the field's own name comes first where several are said. */
const words: ReadonlyMap<string, { readonly field: Field; readonly rank: number }> = new Map(
  fields.flatMap((one) => {
    const snake = [one.key, ...(one.aliases ?? [])];
    const all = [...new Set([...snake, ...snake.map(camelCase)])];
    return all.map((word, rank) => [word, { field: one, rank }] as const);
  }),
);

export const fieldWords: readonly string[] = [...words.keys()];

export type Values = Readonly<Record<string, unknown>>;

export interface Sorted {
  /** By the field's own name. Null and undefined are as if they were not said. */
  readonly values: Values;
  /** `env_production` → by `production`. */
  readonly environments: ReadonlyMap<string, unknown>;
  readonly notes: readonly string[];
  /** What is refused, a sentence each. */
  readonly mistakes: readonly string[];
}

/** The fields of one app as it is written. */
export function sortFields(written: Values): Sorted {
  const chosen = new Map<string, { readonly word: string; readonly rank: number; readonly value: unknown }>();
  const environments = new Map<string, unknown>();
  const notes: string[] = [];
  for (const [word, value] of Object.entries(written)) {
    if (value === undefined || value === null) continue;
    const known = words.get(word);
    if (known === undefined) {
      if (word.startsWith('env_')) environments.set(word.slice('env_'.length), value);
      else notes.push(unknownField(word));
      continue;
    }
    const { field, rank } = known;
    const before = chosen.get(field.key);
    if (before !== undefined)
      notes.push(`${before.word} and ${word} are one field: ${rank < before.rank ? word : before.word} holds.`);
    if (before === undefined || rank < before.rank) chosen.set(field.key, { word, rank, value });
  }
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const { key, kinds } of fields) {
    const given = chosen.get(key);
    if (given === undefined) continue;
    const read = readKind(given.value, kinds);
    if (read === undefined)
      mistakes.push(
        `"${given.word}" takes ${kinds.map((kind) => kindWords[kind]).join(' or ')}, not ${shown(given.value)}`,
      );
    else values[key] = read;
  }
  return { values, environments, notes, mistakes };
}

function unknownField(word: string): string {
  const near = nearest(word, fieldWords);
  return `${quote(word)} is no field of pm2's and has no effect${near === undefined ? '' : `; did you mean ${near}?`}`;
}

const kindWords: Readonly<Record<Kind, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list',
  map: 'a map',
};

/** Undefined: it is of none of these kinds. A number may be written as a text, and true may not. */
function readKind(value: unknown, kinds: readonly Kind[]): unknown {
  if (kinds.length === 0) return value;
  if (Array.isArray(value)) return kinds.includes('list') ? value : undefined;
  if (typeof value === 'object') return kinds.includes('map') ? value : undefined;
  if (typeof value === 'boolean') return kinds.includes('boolean') ? value : undefined;
  if (typeof value === 'number') return kinds.includes('number') && Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  if (kinds.includes('text')) return value;
  return kinds.includes('number') && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

const shown = (value: unknown): string =>
  quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));

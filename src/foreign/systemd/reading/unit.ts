/** Unit files with their drop-ins: systemd.syntax(7), systemd.unit(5). */
import { basename, dirname, join } from 'node:path';
import type { Files } from '../../context.ts';
import { mistaken } from '../../mistakes.ts';

export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

export interface Unit {
  /** `web.service`, `web@8080.service`. */
  readonly name: string;
  readonly path: string;
  /** In the order in which they are said, drop-ins last. */
  readonly settings: readonly Setting[];
  /** Of drop-ins, those that were read. */
  readonly dropIns: readonly string[];
}

/** Where systemd looks for units, what goes first being first. */
export const systemDirectories = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Settings of a text. Throws CONFIG_INVALID for the first line that is none. */
export function readSettings(text: string, file: string): readonly Setting[] {
  const settings: Setting[] = [];
  let section: string | null = null;
  for (const { line, value } of logicalLines(text)) {
    const header = /^\[(.+)\]$/.exec(value)?.[1];
    const at = value.indexOf('=');
    if (header !== undefined) section = header;
    else if (section === null) throw mistaken(file, `${JSON.stringify(value)} stands before any [Section]`, line);
    else if (at < 1) throw mistaken(file, `${JSON.stringify(value)} is neither [Section] nor Key=value`, line);
    else settings.push({ section, key: value.slice(0, at).trim(), value: value.slice(at + 1).trim() });
  }
  return settings;
}

/** A backslash at the end of a line joins it to the next one with a space; comments in between are passed over. */
function* logicalLines(text: string): Generator<{ readonly line: number; readonly value: string }> {
  let open = '';
  let from = 0;
  for (const [at, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const isComment = /^\s*[#;]/.test(raw);
    if (isComment || (open === '' && raw.trim() === '')) continue;
    if (open === '') from = at + 1;
    // What follows a continuation keeps its own spaces.
    const part = open === '' ? raw.trimStart() : raw;
    if (part.endsWith('\\')) open += `${part.slice(0, -1)} `;
    else {
      yield { line: from, value: (open + part).trim() };
      open = '';
    }
  }
  if (open.trim() !== '') yield { line: from, value: open.trim() };
}

/** A unit with what its drop-ins say. `name` is the unit's own where the file is that of a template. */
export function readUnit(
  path: string,
  { text, files, name = basename(path) }: { readonly text: string; readonly files: Files; readonly name?: string },
): Unit {
  const dropIns = dropInsOf(path, name, files);
  const settings = [path, ...dropIns].flatMap((file, at) =>
    readSettings(at === 0 ? text : (files.read(file) ?? ''), file),
  );
  return { name, path, settings, dropIns };
}

/** `x.service.d/*.conf` beside it and, of a unit of the system, in all directories of units; by file name, each name once. */
function dropInsOf(path: string, name: string, files: Files): readonly string[] {
  const own = dirname(path);
  const places = systemDirectories.includes(own) ? systemDirectories : [own];
  const byName = new Map<string, string>();
  for (const folder of foldersOf(name))
    for (const place of places)
      for (const file of files.list(join(place, folder)))
        if (file.endsWith('.conf') && !byName.has(file)) byName.set(file, join(place, folder, file));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

/** `a-b@1.service` → `a-b@1.service.d`, `a-b@.service.d`, `a-.service.d`, `service.d`. */
function foldersOf(name: string): readonly string[] {
  const [, prefix = name, at = '', suffix = ''] = /^([^@]*?)(@.*)?(\.[a-z]+)$/.exec(name) ?? [];
  const dashes = [...prefix.matchAll(/-/g)].map(({ index }) => `${prefix.slice(0, index + 1)}${suffix}`).reverse();
  const template = at === '' || at === '@' ? [] : [`${prefix}@${suffix}`];
  return [name, ...template, ...dashes, suffix.slice(1)].map((folder) => `${folder}.d`);
}

/** All values of a key that may be said several times; an empty one takes back those before it. */
export function allOf({ settings }: Unit, section: string, key: string): readonly string[] {
  const values = settings
    .filter((setting) => setting.section === section && setting.key === key)
    .map(({ value }) => value);
  return values.slice(values.lastIndexOf('') + 1);
}

/** The last value of a key; undefined where it isn't said, or taken back. */
export function lastOf(unit: Unit, section: string, ...keys: readonly string[]): string | undefined {
  const value = unit.settings.findLast((setting) => setting.section === section && keys.includes(setting.key))?.value;
  return value === '' ? undefined : value;
}

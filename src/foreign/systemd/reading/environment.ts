/** `Environment=`, `EnvironmentFile=` and the variables that systemd sets itself; systemd.exec(5), "Environment". */
import type { ForeignContext } from '../../context.ts';
import type { Draft } from '../../draft.ts';
import { type EnvFile, placeEnvFiles, putEnv } from '../../env-file.ts';
import { globFiles } from '../../glob.ts';
import { allOf, lastOf, type Unit } from './unit.ts';
import { splitUnitWords } from './words.ts';

export const environmentKeys: readonly string[] = [
  'Environment',
  'EnvironmentFile',
  'PassEnvironment',
  'UnsetEnvironment',
];

/** Directories that systemd makes, and whose paths it tells. */
const directories: Readonly<Record<string, string>> = {
  RuntimeDirectory: 't',
  StateDirectory: 'S',
  CacheDirectory: 'C',
  LogsDirectory: 'L',
  ConfigurationDirectory: 'E',
};
export const directoryKeys: readonly string[] = Object.keys(directories);

interface Reading {
  readonly context: ForeignContext;
  readonly specify: (text: string) => string;
}

/** Sets `env` and `env_file`. What comes back is known, and does not change: it may stand in a command. */
export function putEnvironment(
  draft: Draft,
  unit: Unit,
  { context, specify }: Reading,
): Readonly<Record<string, string>> {
  const own = ownDirectories(draft, unit, specify);
  const said = assignments(draft, allOf(unit, 'Service', 'Environment').map(specify));
  const files = allOf(unit, 'Service', 'EnvironmentFile').flatMap((value) => filesOf(draft, specify(value), context));
  const placed = placeEnvFiles(files, context.base);
  for (const note of placed.notes) draft.note(note);
  const ofFiles: Record<string, string> = Object.assign({}, ...files.map(({ values }) => values));
  // What a file says goes over Environment= there, and under env here.
  const known = Object.fromEntries(
    Object.entries({ ...own, ...said }).filter(([name]) => !Object.hasOwn(ofFiles, name)),
  );
  putEnv(draft, { ...known, ...placed.env });
  if (placed.envFiles.length > 0) draft.put('env_file', placed.envFiles);
  const unset = allOf(unit, 'Service', 'UnsetEnvironment');
  if (unset.length > 0)
    draft.note(`UnsetEnvironment=${unset.join(' ')}: env -u NAME before the command takes a variable away.`);
  return files.some(({ text }) => text === null) ? {} : known;
}

function assignments(draft: Draft, values: readonly string[]): Record<string, string> {
  const words = values.flatMap((value) => {
    const split = splitUnitWords(value);
    if (split === null) draft.note(`Environment=${value}: left out, as a quote is not closed.`);
    return split ?? [];
  });
  const pairs = words.filter((word) => /^[A-Za-z_]\w*=/.test(word));
  for (const word of words)
    if (!pairs.includes(word)) draft.note(`Environment=${word}: left out, as it is no NAME=value.`);
  return Object.fromEntries(pairs.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

/** `-` before it: it need not be there. One that can't be read now is named all the same. */
function filesOf(draft: Draft, value: string, { files }: ForeignContext): readonly EnvFile[] {
  const paths = globFiles(value.replace(/^-/, ''), files);
  const found = paths.flatMap((path): readonly EnvFile[] => {
    try {
      const text = files.read(path);
      return text === null ? [] : [{ path, text, values: readEnvironmentFile(text) }];
    } catch (error) {
      draft.note(`EnvironmentFile=${value}: ${(error as Error).message}`);
      return [{ path, text: null, values: {} }];
    }
  });
  if (found.length === 0)
    draft.note(`EnvironmentFile=${value}: left out, as it is not there; env_file names it when it is.`);
  return found;
}

/** NAME=value lines with quotes and backslashes as in a shell, nothing expanded; `#` and `;` begin comments at the start of a line only. */
export function readEnvironmentFile(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const line = /^[ \t]*([A-Za-z_]\w*)[ \t]*=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\n"'\\])*)/s;
  for (let rest = text.replaceAll('\r\n', '\n'); rest !== ''; ) {
    const [all = '', name, value] = (/^[ \t]*[#;]/.test(rest) ? null : line.exec(rest)) ?? [];
    if (name !== undefined) values[name] = unquoted(value!.trim());
    const end = rest.indexOf('\n', all.length);
    rest = end < 0 ? '' : rest.slice(end + 1);
  }
  return values;
}

const unquoted = (value: string): string =>
  value.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(\n)|\\(.)/gs, (_, double, single, _newline, escaped) =>
    double !== undefined
      ? double.replace(/\\(["\\`$\n])/g, (_all: string, letter: string) => (letter === '\n' ? '' : letter))
      : (single ?? escaped ?? ''),
  );

/** They are not made here; the variables that tell their paths are set. */
function ownDirectories(draft: Draft, unit: Unit, specify: (text: string) => string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [key, letter] of Object.entries(directories)) {
    const names = lastOf(unit, 'Service', key);
    if (names === undefined) continue;
    const paths = specify(names)
      .split(/\s+/)
      .map((name) => `${specify(`%${letter}`)}/${name.split(':')[0]}`);
    variables[key.replace('Directory', '_DIRECTORY').toUpperCase()] = paths.join(':');
    draft.note(
      `${key}=${names}: ${paths.join(', ')} must be there, and be its user's; systemd makes it, stead does not.`,
    );
  }
  return variables;
}

/** Words of `stead import systemd` → unit files: a path, or the name of a unit that systemd knows on this machine. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Files } from '../foreign/context.ts';
import type { UnitFile } from '../foreign/systemd/reading/read.ts';
import { systemDirectories } from '../foreign/systemd/reading/unit.ts';
import { SteadError } from '../protocol/errors.ts';

interface Place {
  readonly files: Files;
  readonly userHome: string;
}

/** Throws CONFIG_NOT_FOUND. */
export function findUnit(word: string, { files, userHome }: Place): UnitFile {
  const path = resolve(word);
  const here = word.includes('/') || isUnitName(word) ? files.read(path) : null;
  if (here !== null) return { path, text: here };
  if (word.includes('/')) throw noUnit(word, 'there is no such file');
  const name = isUnitName(word) ? word : `${word}.service`;
  const template = /^([^@]+@)[^@]+(\.[a-z]+)$/.exec(name);
  const own = [join(userHome, '.config/systemd/user'), '/etc/systemd/user', '/usr/lib/systemd/user'];
  for (const directory of [...systemDirectories, ...own]) {
    if (isMasked(join(directory, name))) throw noUnit(word, `${join(directory, name)} is masked`);
    const text = files.read(join(directory, name));
    if (text !== null) return { path: join(directory, name), text };
    const general = template === null ? null : join(directory, `${template[1]}${template[2]}`);
    const generalText = general === null ? null : files.read(general);
    if (general !== null && generalText !== null) return { path: general, text: generalText, name };
  }
  throw noUnit(
    word,
    `there is no such file here, and no unit ${name} in ${systemDirectories.join(', ')} or those of users`,
  );
}

const isUnitName = (word: string): boolean => /\.[a-z]+$/.test(word);

/** A link to /dev/null. */
function isMasked(path: string): boolean {
  try {
    return realpathSync(path) === '/dev/null';
  } catch {
    return false;
  }
}

function noUnit(word: string, why: string): SteadError {
  return new SteadError('CONFIG_NOT_FOUND', `${JSON.stringify(word)} was not found: ${why}`, {
    hint: 'stead import systemd nginx.service, or a path: ./web.service',
  });
}

/** Timers and sockets that lie beside the services, and were not named. */
export function besideUnits(units: readonly UnitFile[], files: Files): readonly string[] {
  const named = units.map(({ path, name }) => name ?? basename(path));
  return units.flatMap(({ path }) =>
    ['.timer', '.socket']
      .map((ending) => basename(path).replace(/\.service$/, ending))
      .filter((name) => path.endsWith('.service') && !named.includes(name) && files.list(dirname(path)).includes(name)),
  );
}

/** Unit files on disk: whose they are, writing all of an app's or none, and putting back what was there. */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { WrittenFile } from '../../foreign/written.ts';
import { encodeBytes } from '../../host/bytes.ts';
import { readIfThere } from '../../host/files.ts';
import { SteadError } from '../../protocol/errors.ts';
import { unwritable } from '../../systemd/unit-file.ts';
import type { Plan } from './plan.ts';
import { allProperties } from './units.ts';

/** As `headOf` in foreign/systemd/writing begins each. */
const mark =
  /^(?:# (?:App|Job) ".*" of stead, written by stead |# Environment of .* when stead handed it over\.|\/\/ Written by stead: )/;

/** Throws NAME_TAKEN for a unit that somebody else has made, here or elsewhere. */
export function refuseForeign({ files, directory, keeper }: Plan): void {
  const there = new Map(files.map(({ name }) => [name, readIfThere(join(directory, name))]));
  for (const [name, text] of there) if (text !== null && !mark.test(text)) throw taken(join(directory, name), name);
  const fresh = [...there].flatMap(([name, text]) => (text === null && isUnit(name) ? [name] : []));
  // A template has properties by way of an instance alone.
  const units = fresh.map((name) => name.replace('@.', '@0.'));
  for (const [at, { FragmentPath: path }] of allProperties(keeper.scope, units, ['FragmentPath']).entries())
    if (path !== '' && path !== join(directory, fresh[at]!)) throw taken(path, fresh[at]!);
}

const isUnit = (name: string): boolean => /\.(?:service|socket|timer|target|path)$/.test(name);

const taken = (path: string, name: string): SteadError =>
  new SteadError('NAME_TAKEN', `${path} was not written by stead; it was left as it is, and nothing was changed.`, {
    hint: `look at it: systemctl cat ${name}; another name: stead rename`,
  });

/** Writes all; gives what puts back what was there. Throws NOT_PERMITTED, UNSUPPORTED (read-only) or DISK, nothing being changed. */
export function writeFiles({ files, directory, keeper }: Plan): () => void {
  const before = files.map(({ name }) => [join(directory, name), readIfThere(join(directory, name))] as const);
  const putBack = () => {
    for (const [path, text] of before)
      if (text === null) rmSync(path, { force: true });
      else writeOne(path, { name: basename(path), text, isPrivate: false });
  };
  try {
    for (const file of files) writeOne(join(directory, file.name), file);
  } catch (error) {
    putBack();
    const { code, message } = unwritable(join(directory, files[0]!.name), keeper.scope, error);
    throw new SteadError(code, `${message} Nothing was changed.`, { hint: 'stead handoff --dry-run prints the units' });
  }
  return putBack;
}

/** Whole or not at all. */
export function writeOne(path: string, { text, isPrivate }: WrittenFile): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}`);
  mkdirSync(dirname(path), { recursive: true });
  try {
    // Units with values of an environment, too: systemd itself reads them, and nobody else need.
    writeFileSync(beside, encodeBytes(text), { mode: 0o600 });
    if (!isPrivate) chmodSync(beside, 0o644);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

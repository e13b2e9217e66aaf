/** `stead import pm2 [file]`: what pm2 has saved, or one of its ecosystem files. Nothing of pm2's is written. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findInPath, foreignOf, lookAt } from '../client/config/ecosystem.ts';
import { evaluateConfig, isCode } from '../client/config/evaluate-config.ts';
import { checkTrust } from '../client/config/trust.ts';
import { diskFiles } from '../foreign/files.ts';
import type { Foreign } from '../foreign/model.ts';
import { type DumpContext, isDump, readDump } from '../foreign/pm2/read-dump.ts';
import { parseEcosystemText } from '../foreign/pm2/read-text.ts';
import { SteadError } from '../protocol/errors.ts';

export interface ImportOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** With all of the environment that pm2 has kept. */
  readonly isWholeEnv: boolean;
}

export interface ImportedPm2 extends Foreign {
  readonly sources: readonly string[];
  /** It holds what a process had in its environment. */
  readonly isPrivate?: boolean;
}

/** Where pm2 keeps its files. */
export const pm2HomeOf = (env: NodeJS.ProcessEnv): string => resolve(env.PM2_HOME ?? join(env.HOME ?? '/', '.pm2'));

/** `file`: a dump or an ecosystem file; without one the dump of PM2_HOME. Throws CONFIG_NOT_FOUND and CONFIG_INVALID. */
export async function importPm2(file: string | undefined, options: ImportOptions): Promise<ImportedPm2> {
  if (file === undefined) return savedDump(options);
  const path = resolve(options.cwd, file);
  const text = readText(path);
  const sources = [path];
  checkTrust(path, { isCode: isCode(path), env: options.env, euid: process.geteuid!() });
  if (isCode(path)) return { ...foreignOf(await evaluateConfig(path, { env: options.env }), path, options), sources };
  if (isDumpText(text)) return { ...readDump(text, dumpContext(path, options)), sources, isPrivate: true };
  return { ...foreignOf(parseEcosystemText(text, path), path, options), sources };
}

export function dumpContext(file: string, { cwd, env, isWholeEnv }: ImportOptions): DumpContext {
  const find = (command: string) => findInPath(command, { cwd, path: env.PATH ?? '' });
  return { file, cwd, env, isWholeEnv, pm2Home: pm2HomeOf(env), lookAt, find };
}

/** The dump before the last one is taken where the last one is broken or gone. */
function savedDump(options: ImportOptions): ImportedPm2 {
  const home = pm2HomeOf(options.env);
  const [file, before] = [join(home, 'dump.pm2'), join(home, 'dump.pm2.bak')];
  try {
    return { ...readDump(readText(file), dumpContext(file, options)), sources: [file], isPrivate: true };
  } catch (error) {
    if (!(error instanceof SteadError) || !existsSync(before)) throw error;
    const foreign = readDump(readText(before), dumpContext(before, options));
    const notes = [`${error.message}: this is of ${before}.`, ...foreign.notes];
    return { ...foreign, notes, sources: [before], isPrivate: true };
  }
}

function isDumpText(text: string): boolean {
  try {
    return isDump(JSON.parse(text));
  } catch {
    return false;
  }
}

function readText(path: string): string {
  const text = diskFiles.read(path);
  if (text !== null) return text;
  throw new SteadError('CONFIG_NOT_FOUND', `There is no ${path}`, {
    hint: path.endsWith('/dump.pm2')
      ? 'pm2 save writes it; PM2_HOME says where'
      : 'stead import pm2 <dump.pm2 or ecosystem file>',
  });
}

/** `stead import pm2 [file]`: what pm2 has saved, or one of its ecosystem files. Nothing of pm2's is written. */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findInPath, foreignOf, lookAt } from '../client/config/ecosystem.ts';
import { evaluateConfig, isCode } from '../client/config/evaluate-config.ts';
import type { Foreign } from '../foreign/model.ts';
import { type DumpContext, isDump, readDump } from '../foreign/pm2/read-dump.ts';
import { parseEcosystemText } from '../foreign/pm2/read-text.ts';
import { SteadError } from '../protocol/errors.ts';

const mostBytes = 16 * 1024 * 1024;

export interface ImportOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** With all of the environment that pm2 has kept. */
  readonly isWholeEnv: boolean;
}

/** Where pm2 keeps its files. */
export const pm2HomeOf = (env: NodeJS.ProcessEnv): string => resolve(env.PM2_HOME ?? join(env.HOME ?? '/', '.pm2'));

/** `file`: a dump or an ecosystem file; without one the dump of PM2_HOME. Throws CONFIG_NOT_FOUND and CONFIG_INVALID. */
export async function importPm2(file: string | undefined, options: ImportOptions): Promise<Foreign> {
  if (file === undefined) return savedDump(options);
  const path = resolve(options.cwd, file);
  const text = readText(path);
  if (isCode(path)) return foreignOf(await evaluateConfig(path, { env: options.env }), path, options);
  if (isDumpText(text)) return readDump(text, dumpContext(path, options));
  return foreignOf(parseEcosystemText(text, path), path, options);
}

export function dumpContext(file: string, { cwd, env, isWholeEnv }: ImportOptions): DumpContext {
  const find = (command: string) => findInPath(command, { cwd, path: env.PATH ?? '' });
  return { file, cwd, env, isWholeEnv, pm2Home: pm2HomeOf(env), lookAt, find };
}

/** The dump before the last one is taken where the last one is broken or gone. */
function savedDump(options: ImportOptions): Foreign {
  const home = pm2HomeOf(options.env);
  const [file, before] = [join(home, 'dump.pm2'), join(home, 'dump.pm2.bak')];
  try {
    return readDump(readText(file), dumpContext(file, options));
  } catch (error) {
    if (!(error instanceof SteadError) || statSync(before, { throwIfNoEntry: false }) === undefined) throw error;
    const foreign = readDump(readText(before), dumpContext(before, options));
    return { ...foreign, notes: [`${error.message}: this is of ${before}.`, ...foreign.notes] };
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
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new SteadError('CONFIG_NOT_FOUND', `There is no ${path}`, {
      hint: path.endsWith('/dump.pm2')
        ? 'pm2 save writes it; PM2_HOME says where'
        : 'stead import pm2 <dump.pm2 or ecosystem file>',
    });
  if (!stats.isFile() || stats.size > mostBytes)
    throw new SteadError('CONFIG_INVALID', `${path} is no file that can be read, or has more than ${mostBytes} bytes`);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SteadError('CONFIG_NOT_FOUND', `${path} can't be read: ${(error as Error).message}`);
  }
}

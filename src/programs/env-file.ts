/** dotenv files: `NAME=value` lines, as node:util reads them. */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { SteadError } from '../protocol/errors.ts';
import { quote } from './quote.ts';

const mostBytes = 1024 * 1024;

/** The entries of several files, later ones over earlier ones. Throws OPTION_INVALID for a file that can't be read. */
export async function readEnvFiles(paths: readonly string[]): Promise<readonly string[]> {
  const entries = new Map<string, string>();
  for (const path of paths) for (const [name, value] of Object.entries(await readOne(path))) entries.set(name, value);
  return [...entries].map(([name, value]) => `${name}=${value}`);
}

async function readOne(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SteadError('OPTION_INVALID', `The env file ${quote(path)} can't be read: ${(error as Error).message}.`, {
      hint: 'check the path given with --env-file',
    });
  }
  if (text.length > mostBytes || text.includes('\0'))
    throw new SteadError('OPTION_INVALID', `${quote(path)} is no file of NAME=value lines.`);
  return parseEnv(text) as Record<string, string>;
}

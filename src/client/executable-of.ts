/** Where the first word of a command line is found, with the PATH and the directory of its app. */
import { findCommand } from '../programs/find.ts';
import { variable } from '../programs/probe.ts';
import type { AppSpec } from '../protocol/spec.ts';

/** An absolute path; null if it is nowhere, or can't be executed. */
export async function executableOf({ cwd, env }: AppSpec, word: string): Promise<string | null> {
  const found = await findCommand(word, { path: variable(env, 'PATH'), cwd });
  return found.how === 'found' ? found.path : null;
}

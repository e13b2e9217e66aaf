/**
 * Version managers put a shim into the PATH that chooses the real program at each call, by the directory or the shell it is called
 * from. A program that stead starts keeps what was chosen at its start: a shim of fnm is gone when its shell ends, and another one
 * might choose otherwise after an upgrade.
 */
import { access, constants, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { fsPath } from './find.ts';
import { probe, type Surroundings } from './probe.ts';

const shimFolders =
  /\/(\.volta\/bin|\.?asdf\/shims|\.nodenv\/shims|mise\/shims|\.pyenv\/shims|\.rbenv\/shims|fnm_multishells\/[^/]+\/bin)\//;

/** Whether a path is a version manager's and not the program's own. */
export function isShim(path: string): boolean {
  return shimFolders.test(path);
}

/** How interpreters are asked where they are. */
const questions: readonly { readonly name: RegExp; readonly args: readonly string[] }[] = [
  { name: /^(node|nodejs)$/, args: ['-p', 'process.execPath'] },
  { name: /^python[0-9.]*$/, args: ['-c', 'import sys; print(sys.executable)'] },
  { name: /^ruby$/, args: ['-e', 'require "rbconfig"; puts RbConfig.ruby'] },
  { name: /^perl$/, args: ['-e', 'print $^X'] },
];

/** The program behind a shim; the path itself if it is none, or if the shim doesn't tell. */
export async function behindShim(path: string, name: string, surroundings: Surroundings): Promise<string> {
  if (!isShim(path)) return path;
  const question = questions.find((candidate) => candidate.name.test(name));
  const answer = question === undefined ? null : await probe(path, question.args, surroundings);
  if (answer !== null && isAbsolute(answer) && (await isExecutable(answer))) return answer;
  // fnm's are symbolic links to the program; those of others lead to the manager itself.
  return path.includes('/fnm_multishells/') ? realpath(fsPath(path), 'utf8').catch(() => path) : path;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

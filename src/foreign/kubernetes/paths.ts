/** Where the files of an app lie in its image: its directory is the image's /app. */
import { baseName } from '../outgoing.ts';
import type { Outgoing } from '../written.ts';

export const imageDirectory = '/app';

/** A path of the machine in the image. What lies outside the app's directory stays as it is. */
export function imagePath({ spec }: Outgoing, path: string): string {
  if (path === spec.cwd) return imageDirectory;
  return path.startsWith(`${spec.cwd}/`) ? `${imageDirectory}${path.slice(spec.cwd.length)}` : path;
}

/** The command line in the image: interpreters and commands by their names, as its PATH finds them. */
export function imageArgv(app: Outgoing): string[] {
  const { interpreter, words, how } = app.spec.program;
  const own = words.map((word, at) => (at === 0 && how === 'script' ? imagePath(app, word) : word));
  return interpreter === null ? own : [baseName(interpreter.path), ...interpreter.args, ...own];
}

/** Of the command line: files of this machine that the image won't have. */
export const outsideOf = (app: Outgoing): string[] => {
  const { how, words } = app.spec.program;
  const first = words[0] ?? '';
  return how !== 'shell' &&
    first.startsWith('/') &&
    imagePath(app, first) === first &&
    !/^\/(?:usr\/)?s?bin\//.test(first)
    ? [first]
    : [];
};

/** `$(NAME)` is replaced in commands and values, unless its `$` is doubled. */
export const escaped = (text: string): string => text.replaceAll('$(', '$$$$(');

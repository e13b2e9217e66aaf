/** The directory of the program. It may be removed while it is watched, and made again: then it is another one, of the same name. */
import { statSync } from 'node:fs';

/** Gives back what tells whether it is there. stead itself, if it is in it now, goes into the one that is there then. */
export function keepPlace(directory: string): () => boolean {
  const isInside = process.cwd() === directory;
  return () => {
    try {
      if (isInside) process.chdir(directory);
      return statSync(directory).isDirectory();
    } catch {
      return false;
    }
  };
}

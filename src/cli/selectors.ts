/** `<sel>` for commands that read. Commands that act leave it to the daemon, which goes by the same rules. */
import { SteadError } from '../protocol/errors.ts';

export { type Selected, selectApps } from '../client/select-apps.ts';

/** Throws USAGE unless at least one selector is given. */
export function requireSelectors(words: readonly string[], verb: string): readonly string[] {
  if (words.length > 0) return words;
  throw new SteadError('USAGE', `stead ${verb} needs the name of an app`, {
    hint: `stead ${verb} <name>; names are in stead list`,
  });
}

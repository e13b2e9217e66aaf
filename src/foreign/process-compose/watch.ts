/** `watch`: https://f1bonacc1.github.io/process-compose/watch/. */
import { relative, resolve } from 'node:path';
import type { Draft } from '../draft.ts';
import { isFields, type Reader } from './fields.ts';

export function putWatch(
  draft: Draft,
  watch: Reader | undefined,
  { directory }: { readonly base: string; readonly directory: string },
): void {
  if (watch === undefined) return;
  const paths = (Array.isArray(watch.raw.paths) ? watch.raw.paths : []).filter(isFields);
  // Where it runs is where ours are relative to.
  const watched = paths.flatMap(({ path }) =>
    typeof path === 'string' ? [relative(directory, resolve(directory, path)) || '.'] : [],
  );
  if (watched.length === 0 || !draft.put('watch', watched, 'watch.paths')) return;
  const listOf = (key: string) =>
    paths.flatMap((each) => (Array.isArray(each[key]) ? (each[key] as unknown[]).map(String) : []));
  const excluded = listOf('exclude');
  if (excluded.length > 0) draft.put('ignore', excluded, 'watch.exclude');
  putIncluded(draft, listOf('include'));
  draft.put('watch_delay', watch.text('debounce'), 'watch.debounce');
  if (watch.flag('cascade') === true) draft.note('watch.cascade: what depends on it is not restarted with it.');
  const rest = ['max_entries', 'disable_default_excludes'].filter((key) => watch.has(key));
  if (rest.length > 0) draft.note(`watch: without an equal: ${rest.join(', ')}.`);
}

/** By extension, as far as that says it. */
function putIncluded(draft: Draft, patterns: readonly string[]): void {
  if (patterns.length === 0) draft.put('ext', '*');
  else {
    const extensions = patterns.map((pattern) => /^(?:\*\*\/)?\*\.([A-Za-z0-9]+)$/.exec(pattern)?.[1]);
    if (extensions.every((extension) => extension !== undefined)) draft.put('ext', extensions.join(','));
    else draft.note(`watch.include: ${patterns.join(', ')}: ext says which files count, by what they end with.`);
  }
}

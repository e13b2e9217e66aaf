/** `StandardOutput=` and its relations, systemd.exec(5). */
import { logFrom } from '../../context.ts';
import type { Draft } from '../../draft.ts';
import { lastOf, type Unit } from './unit.ts';

export const outputKeys: readonly string[] = ['StandardInput', 'StandardOutput', 'StandardError'];

export function putOutput(
  draft: Draft,
  unit: Unit,
  { base, specify }: { readonly base: string; readonly specify: (text: string) => string },
): void {
  const value = (key: string) => {
    const text = lastOf(unit, 'Service', key);
    return text === undefined ? undefined : specify(text);
  };
  const out = placeOf(draft, 'StandardOutput', value('StandardOutput'), base);
  // stderr goes where stdout goes, unless it is said.
  const said = value('StandardError') ?? 'inherit';
  const err = said === 'inherit' ? out : placeOf(draft, 'StandardError', said, base);
  draft.put('log_out', out, 'StandardOutput');
  if (out !== undefined && out === err && out !== 'none') draft.put('log_merge', true);
  else draft.put('log_err', err, 'StandardError');
  const input = value('StandardInput');
  if (input !== undefined && input !== 'null')
    draft.note(
      `StandardInput=${input}: stdin is /dev/null here; stdin: true keeps it open for stead send, tty: true gives it a terminal.`,
    );
}

/** A path, `none`, or undefined where stead's own log takes the journal's place. */
function placeOf(draft: Draft, key: string, text: string | undefined, base: string): string | undefined {
  if (text === undefined || /^(inherit|journal|syslog|kmsg)$/.test(text)) return undefined;
  if (text === 'null' || text === '/dev/null') return 'none';
  const [, how, path] = /^(append|file|truncate):(\/.*)$/.exec(text) ?? [];
  if (path === undefined) {
    draft.note(`${key}=${text}: it is kept in a log of its own; stead logs shows it.`);
    return undefined;
  }
  if (how !== 'append') draft.note(`${key}=${text}: a log is always appended to.`);
  return logFrom(base, path);
}

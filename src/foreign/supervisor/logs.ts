/** Where output goes: `stdout_logfile` and its relations. One log of ours has one size and one number of files for both streams. */
import { writtenSize } from '../../config/file/stanza.ts';
import { quote } from '../../config/values.ts';
import type { Draft } from '../draft.ts';
import type { Value } from './program.ts';

const ofStream = ['logfile', 'logfile_maxbytes', 'logfile_backups', 'capture_maxbytes', 'events_enabled', 'syslog'];
export const logKeys: readonly string[] = ['stdout', 'stderr'].flatMap((stream) =>
  ofStream.map((key) => `${stream}_${key}`),
);

interface Reading {
  readonly isTrue: (key: string) => boolean | undefined;
  readonly path: (text: string) => string;
}

export function putLogs(draft: Draft, value: Value, { isTrue, path }: Reading): void {
  const isMerged = isTrue('redirect_stderr') === true;
  const out = placeOf(draft, 'stdout_logfile', value, path);
  const err = isMerged ? null : placeOf(draft, 'stderr_logfile', value, path);
  if (isMerged && !['AUTO', undefined].includes(value('stderr_logfile')))
    draft.note('stderr_logfile means nothing with redirect_stderr=true: left out.');
  draft.put('log_out', out ?? undefined, 'stdout_logfile');
  if (isMerged || (out !== null && out === err && out !== 'none')) draft.put('log_merge', true);
  else draft.put('log_err', err ?? undefined, 'stderr_logfile');
  putOne(draft, 'log_max_size', 'logfile_maxbytes', value, (text) => (sizeOf(text) === '0' ? 0 : sizeOf(text)));
  putOne(draft, 'log_keep', 'logfile_backups', value, (text) => (/^\d+$/.test(text) ? Number(text) : null));
  if (isTrue('stdout_syslog') === true || isTrue('stderr_syslog') === true) draft.put('log_forward', 'syslog');
  for (const stream of ['stdout', 'stderr']) {
    if (!['0', undefined].includes(value(`${stream}_capture_maxbytes`)))
      draft.note(`${stream}_capture_maxbytes: output is never captured for events; it stays in the log.`);
    if (isTrue(`${stream}_events_enabled`) === true)
      draft.note(`${stream}_events_enabled: stead logs -f --json gives each line.`);
  }
}

/** A path, `none`, or null where stead's own place is right. */
function placeOf(draft: Draft, key: string, value: Value, path: (text: string) => string): string | null {
  const text = value(key);
  if (text === undefined || text.toUpperCase() === 'AUTO') return null;
  if (text.toUpperCase() === 'NONE' || text === '/dev/null') return 'none';
  if (text.toLowerCase() === 'syslog') {
    draft.put('log_forward', 'syslog');
    return null;
  }
  if (/^\/(dev\/(std(out|err)|fd\/\d+|tty)|proc\/(self|1)\/fd\/\d+)$/.test(text)) {
    draft.note(`${key}=${text}: it is kept in a log of its own; stead logs -f shows what comes.`);
    return null;
  }
  return path(text);
}

/** A setting of both streams: that of stdout, and a note where stderr's is another one. */
function putOne(
  draft: Draft,
  key: string,
  theirs: string,
  value: Value,
  read: (text: string) => string | number | null,
): void {
  const [out, err] = ['stdout', 'stderr'].map((stream) => value(`${stream}_${theirs}`));
  const text = out ?? err;
  if (text === undefined) return;
  const own = read(text);
  if (own === null) draft.note(`${theirs}=${text}: left out, as it is no number.`);
  else draft.put(key, own, `${theirs}=${text}`);
  if (out !== undefined && err !== undefined && out !== err)
    draft.note(`stderr_${theirs}=${quote(err)}: both streams have what stdout has.`);
}

/** `50MB` → `50M`; null for what is no size. */
function sizeOf(text: string): string | null {
  const [, number, unit = ''] = /^(\d{1,12})\s*([kmg]b)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) return null;
  return writtenSize(Number(number) * 1024 ** ['', 'kb', 'mb', 'gb'].indexOf(unit.toLowerCase()));
}

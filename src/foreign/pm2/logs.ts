/** Where an app's output goes. Files are kept where they are said, as others read them; the times of lines stead keeps by itself. */
import { resolve } from 'node:path';
import type { Mode } from './instances.ts';
import { type AppReading, isOn, type Part, text } from './reading.ts';

export function readLogs(app: AppReading, mode: Mode): Part {
  const { values } = app;
  const notes = [...formatNotes(app)];
  if (isOn(values, 'disable_logs')) return { stanza: { log_out: 'none', log_err: 'none' }, notes };
  const out = placeOf(app, 'out_file');
  const err = placeOf(app, 'error_file');
  const both = values.log_file === true ? undefined : values.log_file === false ? undefined : placeOf(app, 'log_file');
  if (values.log_file === true)
    notes.push('log_file: true: stead logs NAME shows stdout and stderr in the order in which they came.');
  if (both !== undefined && both !== 'none' && (out !== undefined || err !== undefined))
    notes.push(
      'log_file: each stream goes to one file here, to those of out_file and error_file; stead logs NAME shows both in order.',
    );
  const isMany = mode.instances !== null && mode.instances !== 1;
  const files = [out, err, both].filter((place) => place !== undefined && place !== 'none');
  if (isMany && files.length > 0) notes.push(ofMany(values.merge_logs === true));
  if (both !== undefined && out === undefined && err === undefined)
    return { stanza: both === 'none' ? {} : { log_out: both, log_merge: true }, notes };
  if (out !== undefined && out === err && out !== 'none') return { stanza: { log_out: out, log_merge: true }, notes };
  return { stanza: { ...(out !== undefined && { log_out: out }), ...(err !== undefined && { log_err: err }) }, notes };
}

const ofMany = (isMerged: boolean): string =>
  isMerged
    ? 'merge_logs: each instance has files of its own: x.log, x-1.log …; stead logs NAME shows all in one.'
    : 'The files of its instances are called x.log, x-1.log …, by the index of the instance.';

/** An absolute path, or `none`. */
function placeOf({ values, cwd, context }: AppReading, key: string): string | undefined {
  const path = text(values, key);
  if (path === undefined || path === '') return undefined;
  if (path === 'NULL' || path === '/dev/null') return 'none';
  return resolve(cwd, path.replace(/^~(?=\/|$)/, context.env.HOME ?? '~'));
}

function formatNotes({ values }: AppReading): readonly string[] {
  const notes: string[] = [];
  const dates = [
    ...(isOn(values, 'time') ? ['time'] : []),
    ...(text(values, 'log_date_format') ? ['log_date_format'] : []),
  ];
  if (dates.length > 0)
    notes.push(
      `${dates.join(', ')}: a log holds what the program wrote, and when each line came is kept beside it: stead logs -t NAME.`,
    );
  if (text(values, 'log_type') === 'json')
    notes.push('log_type json: a log holds what the program wrote; stead logs --json NAME shows it as JSON.');
  return notes;
}

/** The file that holds its pid: written when it runs, removed when it has ended and no other run has written it anew. */
export function readPidFile(app: AppReading): Part {
  const path = placeOf(app, 'pid_file');
  if (path === undefined || path === 'none') return {};
  const file = `${quoted(path.replace(/\.pid$/, ''))}-"$STEAD_INSTANCE".pid`;
  return {
    stanza: {
      on: {
        ready: `printf '%s\\n' "$STEAD_PID" > ${file}`,
        exit: `kill -0 "$(cat ${file})" 2>/dev/null || rm -f ${file}`,
      },
    },
    notes: ['pid_file: a hook keeps it; stead pid NAME prints it as well.'],
  };
}

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

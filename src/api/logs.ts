import { readAppsAnyhow } from '../client/read-apps.ts';
import { type LogQuery, readLogs } from '../client/read-logs.ts';
import type { LogLineView } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { LogsOptions } from './types.ts';

const usualLines = 20;

interface Wanted {
  readonly select: readonly string[];
  readonly options: LogsOptions;
  readonly signal: AbortSignal;
}

/** Throws OPTION_INVALID, USAGE, APP_NOT_FOUND, and the signal's reason. */
export async function* linesOf(home: string, { select, options, signal }: Wanted): AsyncGenerator<LogLineView> {
  yield* readLogs(logQuery(select, options), { home, signal, readApps: () => readAppsAnyhow(home, signal) });
}

/** What is asked for, with what is usual filled in. */
function logQuery(select: readonly string[], options: LogsOptions): LogQuery {
  const { follow = false, stream, onMissed } = options;
  const [since, until] = [timeOf('since', options.since), timeOf('until', options.until)];
  if (since !== null && until !== null && until < since) throw invalid('"until" is before "since"');
  if (follow && until !== null)
    throw new SteadError('USAGE', '"follow" goes on, and "until" ends: one of them', { hint: 'leave one out' });
  const grep = grepOf(options);
  const isBounded = since !== null || until !== null || grep !== null;
  return {
    select,
    streams: stream === undefined ? ['out', 'err'] : [stream],
    since,
    until,
    lines: checkedLines(options.lines ?? (isBounded ? 'all' : usualLines)),
    grep,
    follow,
    onMissed: ({ name, index, stream: of }, bytes) => onMissed?.({ name, index, stream: of, bytes }),
  };
}

function grepOf({ grep, ignoreCase, invert = false, context = 0 }: LogsOptions): LogQuery['grep'] {
  if (grep === undefined) return null;
  const isText = typeof grep === 'string';
  return {
    pattern: isText ? grep : grep.source,
    ignoreCase: ignoreCase ?? (!isText && grep.ignoreCase),
    invert,
    context,
  };
}

function timeOf(name: string, said: LogsOptions['since']): number | null {
  if (said === undefined) return null;
  const at = typeof said === 'number' ? said : new Date(said).getTime();
  if (Number.isFinite(at)) return at;
  throw invalid(`"${name}" must be a time, not ${JSON.stringify(said)}`);
}

function checkedLines(lines: number | 'all'): number | 'all' {
  if (lines === 'all' || (Number.isSafeInteger(lines) && lines >= 0)) return lines;
  throw invalid(`"lines" must be a number or all, not ${JSON.stringify(lines)}`);
}

const invalid = (message: string): SteadError => new SteadError('OPTION_INVALID', message);

/**
 * `run -f`: a job as if it ran in the foreground. Its output is read from its logs as it is written there, stdout to our stdout and stderr to
 * our stderr; the daemon is asked to tell of its end. Then what the logs hold is read to the end, and its exit code is ours.
 *
 * Ctrl-C and TERM stop the job, a second one kills it, and we still hand over its code. A closed terminal or a closed pipe ends only us.
 */
import { act } from '../client/act.ts';
import { whoAsks } from '../client/caller.ts';
import { waitForEnd } from '../client/wait-for-end.ts';
import { followLogs } from '../logs/follow.ts';
import { placeOf } from '../logs/layout.ts';
import type { RunResponse } from '../protocol/api.ts';
import { tellFailure } from './failure.ts';
import { write } from './output.ts';
import { programExit } from './program-exit.ts';

/** Shows the output of a job until its end; resolves with its exit code. */
export async function followJob(home: string, { app, logs, logFrom }: RunResponse): Promise<number> {
  const { name } = app;
  const ended = new AbortController();
  const place = (stream: 'out' | 'err') => placeOf(home, name, { index: 0, stream, file: logs[stream] });
  const files = [
    { place: place('out'), from: logFrom?.out ?? 0, write: (chunk: Uint8Array) => write(1, chunk) },
    ...(logs.err === logs.out
      ? []
      : [{ place: place('err'), from: logFrom?.err ?? 0, write: (chunk: Uint8Array) => write(2, chunk) }]),
  ];
  const following = followLogs(files, { signal: ended.signal, drain: true });
  stopOnSignals(home, name);
  // A reader that goes away ends the following, and with it us; the job goes on.
  const unending = following.then(() => new Promise<never>(() => {}));
  const { results } = await Promise.race([waitForEnd(home, { select: [name], timeoutMs: null }), unending]);
  ended.abort();
  await following;
  return programExit(results[0]!);
}

function stopOnSignals(home: string, name: string): void {
  let isSecond = false;
  const onSignal = () => {
    const request = { select: [name], caller: whoAsks(), wait: false };
    const asked = isSecond
      ? act(home, 'signal', { body: { ...request, signal: 'SIGKILL' } })
      : act(home, 'stop', { body: request });
    isSecond = true;
    asked.catch((error) => tellFailure(error, { json: false }));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

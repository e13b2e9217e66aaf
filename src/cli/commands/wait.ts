import { constants } from 'node:os';
import { act, isBrokenOff } from '../../client/act.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { WaitRequest, WaitResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, say } from '../output.ts';
import { shellCode } from '../render/started.ts';
import { requireSelectors } from '../selectors.ts';

/** As timeout(1) and nohup(1) have them; 1 to 123 belong to the program. */
const timedOutExit = 124;
const ownFailureExit = 125;

export const command: Command = {
  name: 'wait',
  usage: ['wait <sel…> [--timeout 30s]'],
  about: [
    "Waits until nothing of the apps runs or will run again, and ends with the program's own exit code, 128+n if signal n killed it; of several the first that isn't 0. 124 at --timeout, 125 if stead itself fails.",
  ],
  examples: [
    ['stead run --name build -- make all; stead wait build', 'go on when the job is done'],
    ['stead wait build --timeout 10m', 'no longer than ten minutes'],
  ],
  flags: () => [
    { name: 'timeout', type: 'duration', value: 'time', text: 'give up after so long, with exit code 124' },
  ],
  exitOf: ({ code }) => (code === 'TIMED_OUT' ? timedOutExit : ownFailureExit),
  run: wait,
};

async function wait({ home, words, values, json }: Call): Promise<number> {
  const select = requireSelectors(words, 'wait');
  const timeoutMs = typeof values.timeout === 'number' ? values.timeout : null;
  const { results, timedOut } = await waitForEnd(home, { select, timeoutMs });
  if (timedOut) throw timeOut(results, timeoutMs);
  if (json) printJson(results);
  else
    for (const { name, state, exit } of results)
      print(`${escapeControls(name)}: ${escapeControls(exit?.reason ?? state)}`);
  return results.map(exitCode).find((code) => code !== 0) ?? 0;
}

function timeOut(results: WaitResponse['results'], timeoutMs: number | null): SteadError {
  const going = results
    .filter(({ state }) => !['stopped', 'completed', 'failed'].includes(state))
    .map(({ name }) => name);
  return new SteadError('TIMED_OUT', `Still going after ${(timeoutMs ?? 0) / 1000} s: ${going.join(', ')}`, {
    details: { results },
  });
}

/** Of a job that never ran 0; 125 where nobody knows how it ended. */
function exitCode({ name, exit }: WaitResponse['results'][number]): number {
  if (exit === null) return 0;
  const code = shellCode(exit, constants.signals);
  if (code === undefined) say(`stead: how ${escapeControls(name)} ended isn't known`);
  return code ?? ownFailureExit;
}

/** Waits for the end of apps, also over a death of the daemon: waiting again changes nothing. */
async function waitForEnd(home: string, { select, timeoutMs }: WaitRequest): Promise<WaitResponse> {
  const deadline = timeoutMs === null ? null : performance.now() + timeoutMs;
  for (;;) {
    const left = deadline === null ? null : Math.max(0, Math.round(deadline - performance.now()));
    try {
      return await act(home, 'wait', { body: { select, timeoutMs: left } satisfies WaitRequest });
    } catch (error) {
      if (!isBrokenOff(error)) throw error;
    }
  }
}

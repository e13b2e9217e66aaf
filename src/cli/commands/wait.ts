import { waitForEnd } from '../../client/wait-for-end.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { WaitResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { ownFailureExit, programExit, timedOutExit } from '../program-exit.ts';
import { requireSelectors } from '../selectors.ts';

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
  return results.map(programExit).find((code) => code !== 0) ?? 0;
}

function timeOut(results: WaitResponse['results'], timeoutMs: number | null): SteadError {
  const going = results
    .filter(({ state }) => !['stopped', 'completed', 'failed'].includes(state))
    .map(({ name }) => name);
  return new SteadError('TIMED_OUT', `Still going after ${(timeoutMs ?? 0) / 1000} s: ${going.join(', ')}`, {
    details: { results },
  });
}

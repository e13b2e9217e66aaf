import { waitForEnd } from '../../client/wait-for-end.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { WaitResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { waitFor } from '../../terminal/client/ask.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { ownFailureExit, programExit, timedOutExit } from '../program-exit.ts';
import { requireSelectors } from '../selectors.ts';
import { reachTerminal, type Terminal } from '../terminal-session.ts';

/** Hosts that end one after the other are no accident. */
const mostHosts = 10;

export const command: Command = {
  name: 'wait',
  usage: ['wait <sel…> [--timeout 30s]', 'wait <sel> --for <pattern> [--timeout 30s]'],
  about: [
    "Waits until nothing of the apps runs or will run again, and ends with the program's own exit code, 128+n if signal n killed it; of several the first that isn't 0. 124 at --timeout, 125 if stead itself fails.",
    '--for waits until the terminal of a program shows a line with the pattern (of RE2), now or later, and prints that line; if the program ends before, that is a failure.',
  ],
  examples: [
    ['stead run --name build -- make all; stead wait build', 'go on when the job is done'],
    ['stead wait build --timeout 10m', 'no longer than ten minutes'],
    ["stead wait build --for 'password:'", 'until its terminal shows that'],
  ],
  flags: () => [
    { name: 'for', type: 'text', value: 'pattern', text: 'until its terminal shows a line with it' },
    { name: 'exit', type: 'boolean', text: 'until it ends, which is what it waits for anyway' },
    { name: 'timeout', type: 'duration', value: 'time', text: 'give up after so long, with exit code 124' },
  ],
  exitOf: ({ code }) => (code === 'TIMED_OUT' ? timedOutExit : ownFailureExit),
  run: wait,
};

async function wait({ home, words, values, json }: Call): Promise<number> {
  const select = requireSelectors(words, 'wait');
  const timeoutMs = typeof values.timeout === 'number' ? values.timeout : null;
  if (typeof values.for === 'string') return waitForLine({ home, words, json }, values.for, timeoutMs);
  const { results, timedOut } = await waitForEnd(home, { select, timeoutMs });
  if (timedOut) throw timeOut(results, timeoutMs);
  if (json) printJson(results);
  else
    for (const { name, state, exit } of results)
      print(`${escapeControls(name)}: ${escapeControls(exit?.reason ?? state)}`);
  return results.map(programExit).find((code) => code !== 0) ?? 0;
}

/** Not by way of the daemon: the pty host looks at the screen. */
async function waitForLine(
  { home, words, json }: Pick<Call, 'home' | 'words' | 'json'>,
  pattern: string,
  timeoutMs: number | null,
): Promise<number> {
  const [select, ...others] = words;
  if (select === undefined || others.length > 0)
    throw new SteadError('USAGE', 'stead wait --for looks at the terminal of one program');
  const terminal = await reachTerminal(home, select);
  const { matched, line, exit } = await untilShown(home, terminal, { pattern, timeoutMs });
  if (json) printJson({ name: terminal.name, matched, line, exit });
  else if (matched) print(escapeControls(line ?? ''));
  if (!matched)
    throw new SteadError(
      'NOT_RUNNING',
      `"${terminal.name}" ended without a line that has ${JSON.stringify(pattern)}.`,
      {
        hint: `stead capture ${terminal.name}`,
      },
    );
  return 0;
}

/** A host that is killed meanwhile is followed by one that knows the same screen. */
async function untilShown(
  home: string,
  terminal: Terminal,
  { pattern, timeoutMs }: { readonly pattern: string; readonly timeoutMs: number | null },
): ReturnType<typeof waitFor> {
  const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  for (let place = terminal, tries = 1; ; tries++) {
    const leftMs = Math.max(1, deadline - performance.now());
    try {
      return await waitFor(place, { pattern, flags: '', timeoutMs: timeoutMs === null ? null : leftMs });
    } catch (error) {
      const isGone = error instanceof SteadError && error.code === 'DAEMON_UNREACHABLE';
      if (!isGone || tries === mostHosts) throw error;
    }
    place = await reachTerminal(home, String(terminal.id));
  }
}

function timeOut(results: WaitResponse['results'], timeoutMs: number | null): SteadError {
  const going = results
    .filter(({ state }) => !['stopped', 'completed', 'failed'].includes(state))
    .map(({ name }) => name);
  return new SteadError('TIMED_OUT', `Still going after ${(timeoutMs ?? 0) / 1000} s: ${going.join(', ')}`, {
    details: { results },
  });
}

/** What `open` and `attach` share: from the name of a session to its terminal, and what is said when it is left. */
import { constants } from 'node:os';
import { request } from '../client/http.ts';
import { reachTerminal, type Terminal } from '../client/reach-terminal.ts';
import type { Flag, ParsedLine } from '../config/parse.ts';
import { escapeControls } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import { attach, type Outcome } from '../terminal/client/attach.ts';
import { leavingWords } from '../terminal/client/leaving-words.ts';
import { parseDetachKeys } from '../terminal/keys-detach.ts';
import { say } from './output.ts';

export { reachTerminal, type Terminal };

const usualDetachKeys = 'C-b d';

export const terminalFlags: readonly Flag[] = [
  { name: 'read-only', short: 'r', type: 'boolean', text: 'look on: nothing that you type goes there' },
  { name: 'steal', type: 'boolean', text: 'detach all others' },
  {
    name: 'detach-keys',
    type: 'text',
    value: 'keys',
    text: `what leaves it ('${usualDetachKeys}', or STEAD_DETACH_KEYS): 'C-a d', 'none' …`,
  },
  {
    name: 'scrollback',
    type: 'integer',
    value: 'lines',
    text: "lines above the screen to bring into this terminal's own scrollback (1000)",
  },
];

/** The exit code: that of the program, if it ends meanwhile; 0 for who leaves it. */
export async function enter(
  home: string,
  terminal: Terminal,
  values: ParsedLine['values'],
  { isFromStart = false } = {},
): Promise<number> {
  const outcome = await attach({
    ...terminal,
    isFromStart,
    readOnly: values['read-only'] === true,
    steal: values.steal === true,
    detachKeys: detachKeysOf(values),
    scrollback: typeof values.scrollback === 'number' ? values.scrollback : 1000,
    stdin: process.stdin,
    stdout: process.stdout,
    env: process.env,
    reconnect: () => reachTerminal(home, String(terminal.id)),
  });
  say(leavingWords(await presentName(home, terminal), outcome));
  return exitOf(outcome);
}

/** It may have been renamed meanwhile. */
async function presentName(home: string, terminal: Terminal): Promise<string> {
  const now = await request(home, 'show', { params: { sel: String(terminal.id) } }).catch(() => null);
  return shownName({ ...terminal, ...(now !== null && { name: now.name }) });
}

/** `build`, or `build:1` where that is needed. */
const shownName = ({ name, index }: Terminal): string => escapeControls(index === 0 ? name : `${name}:${index}`);

/** Throws USAGE for keys that are none. */
export function detachKeysOf(values: ParsedLine['values']): ReturnType<typeof parseDetachKeys> {
  const text = String(values['detach-keys'] ?? (process.env.STEAD_DETACH_KEYS || usualDetachKeys));
  try {
    return parseDetachKeys(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SteadError('USAGE', `--detach-keys: ${error.message}`, { hint: "'C-b d', 'C-a d', 'C-q', 'none'" });
  }
}

function exitOf({ reason, exit }: Outcome): number {
  if (reason === 'lost') return 1;
  if (reason !== 'ended' || exit === null) return 0;
  if (exit.code !== null) return exit.code;
  return exit.signal === null ? 1 : 128 + (constants.signals[exit.signal as NodeJS.Signals] ?? 0);
}

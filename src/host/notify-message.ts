/** What a program tells by sd_notify(3): lines `NAME=VALUE`. Of a name that comes twice the first counts, as with systemd; unknown names mean nothing. */

/** A longer one is taken as empty; systemd takes 4 KiB. */
export const longestNotify = 65_536;
/** The kernel's upper bound of pid_max. */
const largestPid = 2 ** 22;
const largestErrno = 4095;

export interface NotifyMessage {
  readonly ready: boolean;
  readonly reloading: boolean;
  readonly stopping: boolean;
  /** `ping`: it is alive. `trigger`: it asks to be treated as if it were not. */
  readonly watchdog: 'ping' | 'trigger' | null;
  /** A line for people, '' to clear it; any characters but line ends. Null where nothing is said, as below. */
  readonly status: string | null;
  readonly mainPid: number | null;
  readonly extendTimeoutUs: number | null;
  /** 0 switches the watchdog off. */
  readonly watchdogUs: number | null;
  /** The sender waits until the fd that came with it is closed. */
  readonly barrier: boolean;
  readonly errno: number | null;
}

/** Never throws: values that make no sense are as if they were not there; bytes that are no UTF-8 become U+FFFD. */
export function parseNotify(bytes: Uint8Array): NotifyMessage {
  const values = readValues(bytes);
  const is = (name: string): boolean => values.get(name) === '1';
  const number = (name: string, most?: number): number | null => readNumber(values.get(name), most);
  const watchdog = values.get('WATCHDOG');
  return {
    ready: is('READY'),
    reloading: is('RELOADING'),
    stopping: is('STOPPING'),
    watchdog: watchdog === '1' ? 'ping' : watchdog === 'trigger' ? 'trigger' : null,
    status: values.get('STATUS') ?? null,
    mainPid: number('MAINPID', largestPid) || null,
    extendTimeoutUs: number('EXTEND_TIMEOUT_USEC'),
    watchdogUs: number('WATCHDOG_USEC'),
    barrier: is('BARRIER'),
    errno: number('ERRNO', largestErrno),
  };
}

function readValues(bytes: Uint8Array): Map<string, string> {
  const values = new Map<string, string>();
  // systemd: one NUL at the end is the string's, one within makes it no text.
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const text = bytes.subarray(0, end);
  if (bytes.length > longestNotify || text.includes(0)) return values;
  for (const line of new TextDecoder().decode(text).split('\n')) {
    const at = line.indexOf('=');
    const name = line.slice(0, at);
    if (at > 0 && !values.has(name)) values.set(name, line.slice(at + 1));
  }
  return values;
}

/** A whole number of at most `most`; one that is larger than a number holds exactly is that largest, where any will do. */
function readNumber(text: string | undefined, most?: number): number | null {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return null;
  const value = Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  return most !== undefined && value > most ? null : value;
}

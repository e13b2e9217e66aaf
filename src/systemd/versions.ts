/**
 * What a systemd of some version knows of unit files. Older ones take an unknown key for a mistake, say so at every reload and go on without it; so none is
 * written. 239 is RHEL 8's, 245 Ubuntu 20.04's, 252 Debian 12's and RHEL 9's, 255 Ubuntu 24.04's.
 *
 * Source: the `NEWS` file of systemd, by the version that brought a key ("Added in version N" in its man pages), for keys younger than the oldest systemd that
 * Node 20 can be run beside (its binaries need glibc 2.28, which came out with 239).
 */

/** The oldest that is written for; an older one gets what this knows. */
export const oldestVersion = 239;

/** `Key=`, or `Key=value` where the key is older than the value: the first version that knows it. */
const since: Readonly<Record<string, number>> = {
  // NEWS 240: "new Type=exec", "WatchdogSignal= setting in service unit files", "StandardOutput=append:".
  'Type=exec': 240,
  WatchdogSignal: 240,
  'StandardOutput=append': 240,
  // NEWS 243: "new OOMPolicy= setting", "TimeoutAbortSec=".
  OOMPolicy: 243,
  TimeoutAbortSec: 243,
  // NEWS 253: "Type=notify-reload".
  'Type=notify-reload': 253,
  // NEWS 254: "RestartSteps= and RestartMaxDelaySec=", "DelegateSubgroup=".
  RestartSteps: 254,
  RestartMaxDelaySec: 254,
  DelegateSubgroup: 254,
};

/** Whether a line `Key=value` means something to a systemd of this version. */
export function isKnown(line: string, version: number): boolean {
  const [key = '', value = ''] = line.split(/=(.*)/s);
  const first = since[`${key}=${value.split(':')[0]}`] ?? since[key];
  return first === undefined || first <= version;
}

/** The lines that it knows: sections, comments and empty lines among them. */
export const knownLines = (lines: readonly string[], version: number): string[] =>
  lines.filter((line) => /^(?:[[#;]|$)/.test(line) || isKnown(line, version));

/** `systemd 252 (252.38-1~deb12u1)`, the first line of `systemctl --version`; null for anything else. */
export function parseVersion(text: string): number | null {
  const digits = /^systemd (\d+)/.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

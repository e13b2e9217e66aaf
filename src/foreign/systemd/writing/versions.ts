/**
 * What a systemd of some version knows of the keys that are written here. An older one takes an unknown key for a mistake, says so at every reload and goes on
 * without it; so none is written. 239 is RHEL 8's, 245 Ubuntu 20.04's, 252 Debian 12's and RHEL 9's, 255 Ubuntu 24.04's.
 *
 * Source: the `NEWS` file of systemd, by the version that brought a key; for Restart= of a oneshot what its service.c refuses. Keys that are not here are known
 * to 239, the oldest that is written for.
 */

/** `Key`, or `Key=value` where the key is older than the value: the first version that knows it. */
const since: Readonly<Record<string, number>> = {
  'Type=exec': 240,
  'StandardOutput=append': 240,
  'StandardError=append': 240,
  'SystemCallFilter=@system-service': 241,
  ProtectHostname: 242,
  RestrictSUIDSGID: 242,
  ProtectKernelLogs: 244,
  ProtectClock: 245,
  LoadCredential: 247,
  ProtectProc: 247,
  ProcSubset: 247,
  PrivateIPC: 248,
  RestartSteps: 254,
  RestartMaxDelaySec: 254,
};

export const oldestSystemd = 239;
/** Before, systemd refuses a oneshot that is to be restarted. */
export const oneshotRestartSince = 244;
export const credentialsSince = 247;
export const appendSince = 240;
export const restartStepsSince = 254;

/** Whether `Key=value` means something to a systemd of this version. Comments do to all. */
export function isKnown(line: string, version: number): boolean {
  const [key = '', value = ''] = line.split(/=(.*)/s);
  const first = since[`${key}=${value.split(/[: ]/)[0]}`] ?? since[key];
  return first === undefined || first <= version;
}

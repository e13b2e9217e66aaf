/** When a service is started again, when it is given up, and how it is ended: systemd.service(5), systemd.kill(5). */

import { writtenDuration } from '../../../config/file/stanza.ts';
import type { Draft } from '../../draft.ts';
import { own } from '../../own.ts';
import { isYes } from './limits.ts';
import { allOf, lastOf, type Unit } from './unit.ts';
import { timeMs } from './words.ts';

export const restartKeys: readonly string[] = [
  ...'Restart RestartSec RestartSteps RestartMaxDelaySec SuccessExitStatus RestartPreventExitStatus StartLimitInterval StartLimitBurst'.split(
    ' ',
  ),
  ...'TimeoutStopSec TimeoutSec KillSignal KillMode SendSIGHUP SendSIGKILL FinalKillSignal'.split(' '),
];

/** `infinity` has no equal: as long as it may be. */
const longest = '365d';

export function putDuration(draft: Draft, key: string, text: string | undefined, theirs: string): void {
  if (text === undefined) return;
  const ms = timeMs(text);
  if (ms === null) draft.note(`${theirs}=${text}: left out, as it is no time.`);
  else draft.put(key, Number.isFinite(ms) ? writtenDuration(ms) : longest, `${theirs}=${text}`);
}

const policies: Readonly<Record<string, string>> = {
  no: 'no',
  always: 'always',
  'on-failure': 'on-failure',
  'on-abnormal': 'on-failure',
  'on-abort': 'on-failure',
  'on-watchdog': 'on-failure',
  'on-success': 'no',
};

/** `isLenient`: a failure of its command is none. */
export function putRestart(draft: Draft, unit: Unit, isLenient: boolean): void {
  const value = (...keys: readonly string[]) => lastOf(unit, 'Service', ...keys);
  const said = value('Restart') ?? 'no';
  const policy = own(policies, said);
  if (policy === undefined) draft.note(`Restart=${said}: left out, as it is no policy.`);
  else draft.put('restart', isLenient && policy === 'on-failure' ? 'no' : policy);
  if (said === 'on-success')
    draft.note('Restart=on-success: it would be started again when it ended well, and only then; here it is not.');
  else if (policy === 'on-failure' && said !== 'on-failure')
    draft.note(`Restart=${said}: an exit code other than 0 counts as well; stop_exit_codes names those that don't.`);
  putExits(draft, unit, said);
  if (policy === 'no') return;
  putDelays(draft, value);
  putStartLimit(draft, unit);
}

/** Exit codes after which it is left alone. */
function putExits(draft: Draft, unit: Unit, said: string): void {
  const words = (key: string) => allOf(unit, 'Service', key).flatMap((text) => text.split(/\s+/));
  const success = words('SuccessExitStatus');
  // With Restart=always what counts as a success is started again all the same.
  const all = [...(said === 'on-failure' ? success : []), ...words('RestartPreventExitStatus')].map((word) =>
    exitNumber(word),
  );
  if (all.length > 0) draft.put('stop_exit_codes', [...new Set(all)], 'SuccessExitStatus, RestartPreventExitStatus');
  if (success.length > 0 && said !== 'on-failure')
    draft.note(`SuccessExitStatus=${success.join(' ')}: without Restart=on-failure it changes nothing here.`);
}

/** Those of sysexits.h that people write by name; systemd.exec(5), "Process exit codes". */
const sysexits =
  'USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM CONFIG'.split(
    ' ',
  );
const exitNumber = (word: string): string => {
  const at = sysexits.indexOf(word.replace(/^EX_/, ''));
  return at < 0 ? word : String(64 + at);
};

type Value = (...keys: readonly string[]) => string | undefined;

/** The first restart is at once here; each further one waits as long as it is said, or longer each time where that is said. */
function putDelays(draft: Draft, value: Value): void {
  const text = value('RestartSec');
  const ms = text === undefined ? 100 : timeMs(text);
  const most = timeMs(value('RestartMaxDelaySec') ?? 'infinity');
  const steps = Number(value('RestartSteps') ?? 0);
  if (text !== undefined && (ms === null || !Number.isFinite(ms))) {
    draft.note(`RestartSec=${text}: left out.`);
    return;
  }
  if (ms === 0) {
    draft.note('RestartSec=0: the first restart is at once here as well, further ones come later each time.');
    return;
  }
  const least = Math.max(1, ms!);
  if (steps > 0 && most !== null && Number.isFinite(most) && most > least) {
    draft.put('backoff_min', writtenDuration(least), `RestartSec=${text}`);
    draft.put('backoff_max', writtenDuration(most), 'RestartMaxDelaySec');
    draft.put('backoff_factor', Math.max(1, Math.round((most / least) ** (1 / steps) * 100) / 100), 'RestartSteps');
  } else if (text !== undefined) {
    for (const key of ['backoff_min', 'backoff_max']) draft.put(key, writtenDuration(least), `RestartSec=${text}`);
    draft.put('backoff_factor', 1);
  }
}

/** So many starts within an interval, the first among them. */
function putStartLimit(draft: Draft, unit: Unit): void {
  const value = (key: string) =>
    lastOf(unit, 'Unit', key) ??
    lastOf(unit, 'Unit', key.replace('Sec', '')) ??
    lastOf(unit, 'Service', key.replace('Sec', ''));
  const interval = value('StartLimitIntervalSec');
  const burst = value('StartLimitBurst');
  const ms = interval === undefined ? 10_000 : timeMs(interval);
  if ((interval === undefined && burst === undefined) || ms === 0 || burst === '0') return;
  if (ms === null || !/^\d{1,9}$/.test(burst ?? '5')) {
    draft.note(`StartLimitIntervalSec=${interval ?? ''}, StartLimitBurst=${burst ?? ''}: left out.`);
    return;
  }
  draft.put('max_restarts', Number(burst ?? 5) - 1);
  draft.put('restart_window', Number.isFinite(ms) ? writtenDuration(ms) : longest);
}

export function putStop(draft: Draft, unit: Unit): void {
  const value = (...keys: readonly string[]) => lastOf(unit, 'Service', ...keys);
  const signal = value('KillSignal');
  draft.put('stop_signal', signal, `KillSignal=${signal}`);
  putDuration(draft, 'stop_timeout', value('TimeoutStopSec', 'TimeoutSec'), 'TimeoutStopSec');
  const mode = value('KillMode');
  if (mode === 'process' || mode === 'none')
    draft.note(`KillMode=${mode}: a stop ends all that the program started, here in any case.`);
  if (isYes(value('SendSIGHUP'))) draft.note('SendSIGHUP=yes: stop_signal: TERM:1s,HUP sends one after the other.');
  if (value('SendSIGKILL') === 'no') draft.note('SendSIGKILL=no: what does not end is killed, here in any case.');
  const last = value('FinalKillSignal');
  if (last !== undefined) draft.note(`FinalKillSignal=${last}: the last signal is SIGKILL, here in any case.`);
}

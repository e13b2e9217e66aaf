/** What starts a service: `.timer` (systemd.timer(5)) → `cron`, `.socket` (systemd.socket(5)) → `listen` and `listen_on_demand`. */
import { cronEvery, isPattern } from '../../cron.ts';
import type { Draft } from '../../draft.ts';
import { cronOf } from './calendar.ts';
import { isYes } from './limits.ts';
import { allOf, lastOf, type Unit } from './unit.ts';
import { timeMs } from './words.ts';

/** The unit that another one starts: `Unit=`, `Service=`, or that of its own name. */
export const triggered = (unit: Unit): string =>
  lastOf(unit, 'Timer', 'Unit') ??
  lastOf(unit, 'Socket', 'Service') ??
  unit.name.replace(/\.(timer|socket)$/, '.service');

export function putTimer(draft: Draft, timer: Unit): void {
  const times = allOf(timer, 'Timer', 'OnCalendar');
  const [first, ...others] = times;
  const every = lastOf(timer, 'Timer', 'OnUnitActiveSec', 'OnUnitInactiveSec');
  if (first !== undefined) putCalendar(draft, first);
  else if (every !== undefined) putEvery(draft, every);
  for (const other of others) draft.note(`OnCalendar=${other}: a job has one cron; a second job has the other one.`);
  if (first !== undefined && every !== undefined)
    draft.note(`OnUnitActiveSec=${every}: left out, as OnCalendar is said as well.`);
  if (isYes(lastOf(timer, 'Timer', 'Persistent')) && draft.has('cron')) draft.put('missed', 'run');
  const rest = [
    'OnBootSec',
    'OnStartupSec',
    'OnActiveSec',
    'RandomizedDelaySec',
    'FixedRandomDelay',
    'WakeSystem',
  ].flatMap((key) => {
    const value = lastOf(timer, 'Timer', key);
    return value === undefined ? [] : [`${key}=${value}`];
  });
  if (rest.length > 0) draft.note(`Of its timer, without an equal: ${rest.join(', ')}.`);
}

function putCalendar(draft: Draft, text: string): void {
  const time = cronOf(text);
  if (time === null || !isPattern(time.cron, time.timezone)) {
    draft.note(`OnCalendar=${text}: cron can't say it; the job has no schedule.`);
    return;
  }
  draft.put('cron', time.cron);
  draft.put('timezone', time.timezone);
}

function putEvery(draft: Draft, text: string): void {
  const ms = timeMs(text);
  const cron = ms === null ? null : cronEvery(ms);
  if (cron === null) draft.note(`OnUnitActiveSec=${text}: cron can't say it; the job has no schedule.`);
  else {
    draft.put('cron', cron);
    draft.note(`OnUnitActiveSec=${text} is by the clock here, not since the last run.`);
  }
}

export function putSocket(draft: Draft, socket: Unit, specify: (text: string) => string): void {
  if (isYes(lastOf(socket, 'Socket', 'Accept'))) {
    draft.note(`${socket.name}: Accept=yes, a process for each connection, has no equal; its socket is left out.`);
    return;
  }
  const name = lastOf(socket, 'Socket', 'FileDescriptorName');
  const named = (address: string) => (name === undefined ? address : `${name}=${address}`);
  const of = (key: string) => allOf(socket, 'Socket', key).map(specify);
  const listens = [
    ...of('ListenStream').map((text) => named(addressOf(text, ''))),
    ...of('ListenDatagram').map((text) => named(addressOf(text, 'udp:'))),
  ];
  if (listens.length === 0 || !draft.put('listen', listens, socket.name)) return;
  draft.put('listen_on_demand', true);
  draft.note(`${socket.name}: the first connection starts it; without listen_on_demand it is started at once.`);
  const rest = socket.settings.filter(
    ({ section, key, value }) =>
      section === 'Socket' &&
      value !== '' &&
      !/^(ListenStream|ListenDatagram|Accept|FileDescriptorName|Service)$/.test(key),
  );
  if (rest.length > 0)
    draft.note(`Of its socket, without an equal: ${rest.map(({ key, value }) => `${key}=${value}`).join(', ')}.`);
}

/** `/run/x.sock`, `8080`, `127.0.0.1:80`, `[::1]:80`. */
const addressOf = (text: string, kind: string): string => (/^[/@]/.test(text) ? `unix:${text}` : `${kind}${text}`);

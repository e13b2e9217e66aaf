/** `stead why` in words. */
import type { WhyView } from '../../protocol/api.ts';
import { longDuration } from './units.ts';

export function whyLines(view: WhyView, nowMs: number): string[] {
  const { name, state, want, by, reason, since, restarts, nextRun, exits, findings, lastLines } = view;
  const ago = since === null ? '' : ` for ${longDuration(Math.max(0, nowMs - Date.parse(since)))}`;
  const last = exits.at(-1);
  return [
    `${name}: ${state}${ago}${reason === null ? '' : `: ${reason}`}`,
    `wanted ${want} by: ${by}${restarts === 0 ? '' : `; restarted ${restarts} ${restarts === 1 ? 'time' : 'times'}`}`,
    ...(nextRun === null ? [] : [`next run at ${localTime(nextRun)}`]),
    ...findings.flatMap(({ what, hint }) => [`found: ${what}`, `  → ${hint}`]),
    ...(exits.length === 0
      ? ['no run of it has ended yet']
      : ['', exits.length === 1 ? 'The last end:' : `The last ${exits.length} ends:`]),
    ...exits.map(
      ({ at, run, pid, reason: how, cause, upMs }) =>
        `  ${at === null ? 'at an unknown time' : localTime(at)}  run ${run}${pid === null ? '' : `, pid ${pid}`}: ${how}${upMs === null ? '' : ` after ${longDuration(upMs)}`}${cause ? `; ended by stead: ${cause}` : ''}`,
    ),
    ...(last?.explained && !last.cause ? [`  (${last.explained})`] : []),
    ...(lastLines.length === 0 || last === undefined
      ? []
      : ['', 'Its last words:', ...lastLines.map((line) => `  | ${line}`)]),
    ...next(view),
  ];
}

const localTime = (iso: string): string => {
  const date = new Date(iso);
  return `${date.toLocaleDateString('sv')} ${date.toLocaleTimeString('sv')}`;
};

/** What comes next, or what to do. */
function next({ name, state, nextRun }: WhyView): string[] {
  switch (state) {
    case 'failed':
      return ['', `It is not started again by itself: stead start ${name}`];
    case 'stopped':
      return ['', `To start it: stead start ${name}`];
    case 'stuck':
      return ['', 'stead goes on trying to end it.'];
    case 'waiting':
      return nextRun === null ? ['', 'It starts by itself as soon as it can.'] : [];
    case 'backoff':
      return ['', `Now, without waiting: stead start ${name}`];
    default:
      return [];
  }
}

/** `schedule`: https://f1bonacc1.github.io/process-compose/scheduled-processes/. */

import { parseDuration } from '../../config/values.ts';
import { cronEvery, isPattern } from '../cron.ts';
import type { Draft } from '../draft.ts';
import type { Reader } from './fields.ts';

export function putSchedule(draft: Draft, schedule: Reader): void {
  const cron = schedule.text('cron');
  const timezone = schedule.text('timezone');
  const interval = schedule.text('interval');
  if (cron !== undefined) {
    if (isPattern(cron, timezone)) {
      draft.put('cron', cron);
      draft.put('timezone', timezone === 'Local' ? undefined : timezone);
    } else
      draft.note(
        `schedule.cron: ${cron}${timezone === undefined ? '' : ` (${timezone})`} is no pattern; the job has no schedule.`,
      );
  } else if (interval !== undefined) putInterval(draft, interval);
  else draft.note('schedule: it has neither cron nor interval; the job is run once.');
  if (schedule.flag('run_on_start') === true) draft.note('run_on_start: stead restart NAME runs it at once.');
  const most = schedule.number('max_concurrent');
  if (most !== undefined && most > 1)
    draft.note(`max_concurrent: ${most}: a job has one run at a time; overlap says what becomes of the next.`);
}

function putInterval(draft: Draft, interval: string): void {
  let cron: string | null = null;
  try {
    cron = cronEvery(parseDuration(interval, 'interval'));
  } catch {}
  if (cron === null) draft.note(`schedule.interval: ${interval}: cron can't say it; the job has no schedule.`);
  else {
    draft.put('cron', cron);
    draft.note(`schedule.interval: ${interval} is by the clock here.`);
  }
}

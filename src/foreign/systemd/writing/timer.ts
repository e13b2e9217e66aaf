/** The `.timer` of a schedule: systemd.timer(5). */
import { onCalendar } from '../../cron/on-calendar.ts';
import { parseCron } from '../../cron/pattern.ts';
import type { Outgoing, WrittenFile } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { plainValue } from './escape.ts';
import { isTemplate } from './exec.ts';
import { headOf, unitText } from './unit-text.ts';

/** A job is started by it; an app is restarted, by a service of its own. */
export function timerFiles(app: Outgoing, { scope }: SystemdContext): WrittenFile[] {
  const { name, kind, schedule } = app.spec;
  const times = timesOf(app);
  if (schedule === null || times === null) return [];
  const unit = kind === 'job' ? name : `${name}-restart`;
  const timer = unitText(headOf(app, [`cron: ${schedule.pattern}`]), {
    Unit: [`Description=${plainValue(`Times of ${name}`)}`],
    Timer: [
      ...times.map((time) => `OnCalendar=${time}`),
      // Without it, up to a minute late.
      'AccuracySec=1s',
      ...(schedule.missed === 'run' ? ['Persistent=yes'] : []),
    ],
    Install: ['WantedBy=timers.target'],
  });
  const files = [{ name: `${unit}.timer`, text: timer, isPrivate: false }];
  return kind === 'job'
    ? files
    : [...files, { name: `${unit}.service`, text: restartService(app, scope), isPrivate: false }];
}

/** Null: systemd can't say these times. */
export function timesOf({ spec: { schedule } }: Outgoing): readonly string[] | null {
  const pattern = schedule === null ? null : parseCron(schedule.pattern);
  return pattern === null ? null : onCalendar(pattern, schedule!.zone);
}

function restartService(app: Outgoing, scope: SystemdContext['scope']): string {
  const { name } = app.spec;
  const units = isTemplate(app) ? `"${name}@*.service"` : `${name}.service`;
  return unitText(headOf(app), {
    Unit: [`Description=${plainValue(`Restart of ${name}`)}`],
    Service: ['Type=oneshot', `ExecStart=/usr/bin/systemctl ${scope === 'user' ? '--user ' : ''}try-restart ${units}`],
  });
}

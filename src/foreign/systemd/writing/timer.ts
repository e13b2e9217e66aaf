/** The `.timer` of a schedule: systemd.timer(5). */
import { onCalendar } from '../../cron/on-calendar.ts';
import { parseCron } from '../../cron/pattern.ts';
import type { Outgoing, WrittenFile } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { plainValue } from './escape.ts';
import { isTemplate } from './instances.ts';
import { headOf, unitText } from './unit-text.ts';

/** A job is started by it; an app is restarted, by a service of its own. */
export function timerFiles(app: Outgoing, context: SystemdContext): WrittenFile[] {
  const { name, kind, schedule } = app.spec;
  const times = timesOf(app);
  if (schedule === null || times === null) return [];
  const unit = kind === 'job' ? name : `${name}-restart`;
  const sections = {
    Unit: [`Description=${plainValue(`Times of ${name}`)}`],
    Timer: [
      ...times.map((time) => `OnCalendar=${time}`),
      // Without it, up to a minute late.
      'AccuracySec=1s',
      ...(schedule.missed === 'run' ? ['Persistent=yes'] : []),
    ],
    Install: ['WantedBy=timers.target'],
  };
  const timer = unitText(headOf(app, [`cron: ${schedule.pattern}`]), sections, context.version);
  const files = [{ name: `${unit}.timer`, text: timer, isPrivate: false }];
  return kind === 'job' ? files : [...files, restartService(app, context)];
}

/** Null: systemd can't say these times. */
export function timesOf({ spec: { schedule } }: Outgoing): readonly string[] | null {
  const pattern = schedule === null ? null : parseCron(schedule.pattern);
  return pattern === null ? null : onCalendar(pattern, schedule!.zone);
}

/** What a timer, or a change of files, starts to have the app restarted. */
export function restartService(app: Outgoing, { scope, version }: SystemdContext): WrittenFile {
  const { name } = app.spec;
  const units = isTemplate(app) ? `"${name}@*.service"` : `${name}.service`;
  const sections = {
    Unit: [`Description=${plainValue(`Restart of ${name}`)}`],
    Service: ['Type=oneshot', `ExecStart=/usr/bin/systemctl ${scope === 'user' ? '--user ' : ''}try-restart ${units}`],
  };
  return { name: `${name}-restart.service`, text: unitText(headOf(app), sections, version), isPrivate: false };
}

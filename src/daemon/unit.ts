/**
 * The daemon as a service of systemd: it says that it is ready and what there is, is alive for the watchdog, and at the end takes its programs along if that
 * is what was asked for: `unit.sh` then makes the file `ending` before SIGTERM comes.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';
import { stopInOrder } from './handlers/stop.ts';

/** While programs take their time to end: told so often, for so long. */
const extendEveryMs = 5_000;
const extendMs = 30_000;

/** `12 apps, 1 failing`; jobs that run are counted by themselves. */
export function statusLine(apps: Iterable<App>): string {
  const all = [...apps];
  const kept = all.filter(({ spec }) => spec.kind === 'app');
  const failing = kept.filter(isFailing).length;
  const jobs = all.filter(
    ({ spec, instances }) => spec.kind === 'job' && instances.some(({ model }) => 'run' in model.state),
  );
  return [
    counted(kept.length, 'app'),
    ...(failing === 0 ? [] : [`${failing} failing`]),
    ...(jobs.length === 0 ? [] : [`${counted(jobs.length, 'job')} running`]),
  ].join(', ');
}

const isFailing = ({ instances }: App): boolean =>
  instances.some(({ model }) => ['failed', 'backoff', 'stuck'].includes(model.state.name));

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What ends this process: the programs run on, or systemd wants them to end, too. */
export function endsAll({ home, manager }: Pick<Daemon, 'home' | 'manager'>): boolean {
  return manager.isService && existsSync(join(home, 'ending'));
}

/** Ends all programs, those last on which others depend. What is wanted stays so: the next start brings it up. A job is over. */
export async function endAll(daemon: Daemon): Promise<void> {
  const { manager } = daemon;
  const by = manager.unit === null ? 'the service manager' : `systemctl stop ${manager.unit.name}`;
  const apps = [...daemon.apps.values()];
  manager.stopping(`ending ${counted(apps.length, 'app')}`);
  manager.extend(extendMs);
  const timer = setInterval(() => manager.extend(extendMs), extendEveryMs);
  daemon.log(`the service manager ends this unit: ending ${counted(apps.length, 'app')}`);
  for (const app of apps) if (app.spec.kind === 'job' && app.spec.schedule === null) app.setEnd('stopped', by);
  await stopInOrder(apps, 'stay', true);
  for (const app of apps) app.sharing?.end();
  clearInterval(timer);
  rmSync(join(daemon.home, 'ending'), { force: true });
}

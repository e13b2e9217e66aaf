import { removeLogs } from '../logs/excerpt.ts';
import type { App } from './app.ts';
import type { Daemon } from './context.ts';

const keptMs = 7 * 86_400_000;
const keptJobs = 200;

/** Forgets finished jobs, with their logs: those of more than 7 days, and all but the newest 200. */
export function sweepJobs(daemon: Daemon, now = Date.now()): void {
  const finished = [...daemon.apps.values()].filter(isFinishedJob).sort((a, b) => endOf(b) - endOf(a));
  for (const [at, app] of finished.entries()) {
    if (at < keptJobs && now - endOf(app) < keptMs) continue;
    app.forget();
    removeLogs(daemon.home, app.name);
  }
}

const isFinishedJob = (app: App): boolean =>
  app.spec.kind === 'job' &&
  app.keeper === null &&
  app.instances.every(({ model }) => ['completed', 'failed', 'stopped'].includes(model.state.name) && model.run > 0);

const endOf = (app: App): number => Math.max(...app.instances.map(({ sinceWall }) => sinceWall));

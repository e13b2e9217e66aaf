/** How many instances an app has: as many as its spec says. */
import type { App } from './app.ts';

export const wantedInstances = ({ spec }: Pick<App, 'spec'>): number => spec.share.instances ?? 1;

/** Adds those that are missing, started if the app is to run; lets go of those that are too many, the highest first. They drain; nothing waits for that here. */
export function bringToSize(app: App, by: string): void {
  const wanted = wantedInstances(app);
  for (let index = 0; index < wanted; index++) {
    if (app.instances.some((one) => one.index === index)) continue;
    const fresh = app.add(index, 'main');
    fresh.askedBy = by;
    if (app.want === 'running') fresh.dispatch({ type: 'start', by: 'user' });
  }
  for (const instance of [...app.all].reverse()) {
    if (instance.index < wanted || instance.role === 'retiring') continue;
    instance.askedBy = by;
    app.retire(instance);
    instance.dispatch({ type: 'stop', goal: 'retire' });
  }
}

import type { AppView, InstanceView } from '../protocol/api.ts';
import { selectApps as chooseApps } from '../protocol/select.ts';

export interface Selected {
  readonly app: AppView;
  /** All, or the one that `name:index` names. */
  readonly instances: readonly InstanceView[];
}

/** What selectors mean among these apps, each app once, in the order named. Throws APP_NOT_FOUND. */
export function selectApps(apps: readonly AppView[], selectors: readonly string[]): readonly Selected[] {
  const found = new Map<AppView, readonly InstanceView[]>();
  for (const selector of selectors) {
    for (const app of chooseApps(apps, [selector])) {
      const instances = [...(found.get(app) ?? []), ...instancesOf(app, selector)];
      found.set(app, [...new Set(instances)]);
    }
  }
  return [...found].map(([app, instances]) => ({ app, instances }));
}

function instancesOf({ name, instances }: AppView, selector: string): readonly InstanceView[] {
  const index = selector.startsWith(`${name}:`) ? selector.slice(name.length + 1) : undefined;
  return index === undefined ? instances : instances.filter((one) => String(one.index) === index);
}

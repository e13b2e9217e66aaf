/** Names that clusters take: RFC 1123 labels, lower case. */
import type { Outgoing } from './written.ts';

/** 63 characters are allowed, and what Kubernetes runs for a CronJob gets a suffix of up to 11. */
const longest = 52;

/** `My_App.js` → `my-app-js`; what begins with a digit may not be the name of a service. */
export function labelOf(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, longest)
    .replace(/^-+|-+$/g, '');
  return /^[a-z]/.test(label) ? label : `app-${label}`.replace(/-$/, '');
}

export type Names = ReadonlyMap<Outgoing, string>;

/** Each once. */
export function namesOf(apps: readonly Outgoing[]): Names {
  const taken = new Set<string>();
  return new Map(
    apps.map((app) => {
      const base = labelOf(app.spec.name);
      let name = base;
      for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
      taken.add(name);
      return [app, name];
    }),
  );
}

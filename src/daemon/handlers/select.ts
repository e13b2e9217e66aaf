import { SteadError } from '../../protocol/errors.ts';
import { selectApps, splitIndex } from '../../protocol/select.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';

/** The apps that a request selects, by id. */
export function selected(daemon: Daemon, select: readonly string[]): App[] {
  return selectApps(
    [...daemon.apps.values()].map((app) => ({
      id: app.id,
      name: app.name,
      group: app.spec.group,
      script: scriptOf(app),
      instances: app.instances,
      app,
    })),
    select,
  ).map(({ app }) => app);
}

/** Where one app is meant. Throws USAGE for more, and for none. */
export function oneSelected(daemon: Daemon, selector: string): App {
  const [app, ...others] = selected(daemon, [selector]);
  if (app !== undefined && others.length === 0) return app;
  throw new SteadError(
    'USAGE',
    `"${selector}" are ${others.length === 0 ? 'no' : others.length + 1} apps: one at a time.`,
    {
      hint: 'stead list shows their names',
    },
  );
}

/** The instances of a selected app that are meant: all, or those that are named by their index and nothing else names. */
export function meantOf(app: App, select: readonly string[]): readonly Instance[] {
  const named = select.flatMap((selector) => {
    const indexed = app.daemon.apps.has(selector) ? null : splitIndex(selector);
    return indexed?.name === app.name ? [indexed.index] : [];
  });
  const others = select.filter((selector) => splitIndex(selector)?.name !== app.name || app.daemon.apps.has(selector));
  const isWhole = named.length === 0 || (others.length > 0 && isAmong(app, others));
  return isWhole ? app.instances : app.instances.filter(({ index }) => named.includes(index));
}

const isAmong = ({ daemon, name }: App, select: readonly string[]): boolean =>
  selected(daemon, select).some((other) => other.name === name);

/** Throws for `web:1` where only the whole of an app can be meant. */
export function refusePart(apps: readonly App[], select: readonly string[], verb: string): void {
  const part = apps.find((app) => meantOf(app, select).length < app.instances.length);
  if (part === undefined) return;
  throw new SteadError('UNSUPPORTED', `One instance of "${part.name}" alone can't be ${verb}.`, {
    hint: `stead scale ${part.name} -1 takes away the last one; stead restart ${part.name}:N starts one anew`,
  });
}

const scriptOf = ({ spec: { program } }: App): string | undefined =>
  program.how === 'script' ? program.words[0] : undefined;

/** Who asks, for the record: the command as typed. */
export function askedBy(body: { readonly caller?: { readonly command?: unknown; readonly pid?: unknown } }): string {
  const { command, pid } = body.caller ?? {};
  return `${typeof command === 'string' ? command.slice(0, 200) : 'the API'}${typeof pid === 'number' ? ` (pid ${pid})` : ''}`;
}

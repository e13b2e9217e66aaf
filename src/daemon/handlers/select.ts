import { SteadError } from '../../protocol/errors.ts';
import { selectApps } from '../../protocol/select.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';

/** The apps that a request selects, by id. A request that selects nothing at all is a bad one; `all` of none is not. */
export function selected(daemon: Daemon, select: unknown): App[] {
  if (!Array.isArray(select) || select.length === 0 || !select.every((item) => typeof item === 'string')) {
    throw new SteadError('BAD_REQUEST', '"select" must be a list of selectors.');
  }
  return selectApps(
    [...daemon.apps.values()].map((app) => ({
      id: app.id,
      name: app.name,
      group: app.spec.group,
      script: scriptOf(app),
      app,
    })),
    select,
  ).map(({ app }) => app);
}

const scriptOf = ({ spec: { program } }: App): string | undefined =>
  program.how === 'script' ? program.words[0] : undefined;

/** Who asks, for the record: the command as typed. */
export function askedBy(body: { readonly caller?: { readonly command?: unknown; readonly pid?: unknown } }): string {
  const { command, pid } = body.caller ?? {};
  return `${typeof command === 'string' ? command.slice(0, 200) : 'the API'}${typeof pid === 'number' ? ` (pid ${pid})` : ''}`;
}

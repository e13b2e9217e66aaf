import { checkName } from '../../programs/names.ts';
import type { ActionResponse, RenameRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { renamedFrom } from '../../storage/rename.ts';
import { refuseLost } from '../../view/lost-app.ts';
import { type App, refuseKept } from '../app.ts';
import type { Daemon } from '../context.ts';
import { appViews } from '../view.ts';
import { selected } from './select.ts';

/** rename: another name for one app, whether it runs or not. */
export function rename(daemon: Daemon, { select, to }: RenameRequest): ActionResponse {
  const [app, ...others] = selected(daemon, select);
  if (app === undefined || others.length > 0)
    throw new SteadError('USAGE', 'One app at a time is renamed.', { hint: 'stead rename <app> <name>' });
  const changed = app.name !== to;
  if (changed) renameOne(daemon, app, checkedName(app, to));
  return { results: [{ app: appViews(daemon, [app])[0]!, changed, error: null }] };
}

function checkedName({ name }: App, to: string): string {
  try {
    return checkName(to);
  } catch (error) {
    if (!(error instanceof SteadError)) throw error;
    throw new SteadError(error.code, error.message, {
      hint: `stead rename ${name} ${String(error.details?.suggestion)}`,
    });
  }
}

function renameOne(daemon: Daemon, app: App, to: string): void {
  refuseKept(app);
  refuseLost(app.spec);
  const holder = daemon.apps.has(to) ? to : renamedFrom(daemon.home, to);
  if (holder === to)
    throw new SteadError('NAME_TAKEN', `There is an app called "${to}" already.`, {
      hint: `stead rename ${to} <name>`,
    });
  if (holder !== null && holder !== app.name)
    throw new SteadError('NAME_TAKEN', `What runs of "${holder}" was started as "${to}", and has it until then.`, {
      hint: `stead restart ${holder}`,
    });
  const needing = [...daemon.apps.values()].filter(
    ({ spec }) => Object.hasOwn(spec.dependsOn, app.name) || spec.after.includes(app.name),
  );
  if (needing.length > 0)
    throw new SteadError('NOT_PERMITTED', `"${needing[0]!.name}" needs "${app.name}" by this name.`, {
      hint: `stead unset ${needing[0]!.name} depends_on after`,
    });
  const isUp = app.all.some(({ model }) => 'run' in model.state);
  if (isUp && (app.sharing !== null || app.spec.user !== null))
    throw new SteadError(
      'UNSUPPORTED',
      `"${app.name}" runs, and ${app.spec.user === null ? 'its sockets' : 'what its user reaches'} can't be renamed.`,
      {
        hint: `stead stop ${app.name}, then again`,
      },
    );
  app.rename(to);
}

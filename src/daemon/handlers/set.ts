import { optionsTable } from '../../config/options.ts';
import { ofWatch } from '../../config/settle.ts';
import { mergeEnvironment } from '../../programs/environment.ts';
import type { ActionResponse, SetRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../../protocol/spec.ts';
import { refuseKept } from '../app.ts';
import type { Daemon } from '../context.ts';
import { checkDependencies } from '../dependencies.ts';
import { changeSpec, checkedOptions } from '../make-spec.ts';
import { concernsLaunch } from '../of-launch.ts';
import { bringToSize } from '../scale.ts';
import { appViews } from '../view.ts';
import { askedBy, selected } from './select.ts';
import { checkLogs } from './start.ts';

/** set and unset: other options for apps that there are. All of them or, if one can't have them, none. */
export async function set(daemon: Daemon, body: SetRequest): Promise<ActionResponse> {
  const apps = selected(daemon, body.select);
  for (const app of apps) refuseKept(app);
  const changes = checkedOptions(body.set);
  const unset = checkedUnset(body.unset);
  refuseIdentity([...Object.keys(changes), ...unset.map(({ property }) => property)]);
  const specs = await Promise.all(
    apps.map(({ spec }) =>
      changeSpec(withEnvironment(spec, changes, unset), optionsAfter(spec, changes, unset), daemon.enforcement),
    ),
  );
  checkDependencies(daemon, specs);
  for (const spec of specs) checkLogs(daemon, spec);
  const results = apps.map((app, at) => {
    const before = app.spec;
    const after = specs[at]!;
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    if (changed) app.changeSpec(after);
    if (changed && before.share.instances !== null) bringToSize(app, askedBy(body));
    const isPending = concernsLaunch(before, after) || JSON.stringify(before.env) !== JSON.stringify(after.env);
    const isUp = app.instances.some(({ model }) => ['starting', 'running'].includes(model.state.name));
    const notes =
      isPending && isUp ? [`${app.name} runs on as it is; from its next start: stead restart ${app.name}`] : [];
    return { changed, error: null, notes };
  });
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

interface Unset {
  readonly property: keyof SpecOptions;
  /** Of `env`: the variable alone. */
  readonly variable: string | null;
}

function checkedUnset(texts: readonly string[] = []): Unset[] {
  return texts.map((text) => {
    const [property, variable] = text.split('=', 2);
    const option = optionsTable.find((row) => row.property === property);
    if (option === undefined) throw new SteadError('OPTION_INVALID', `There is no option "${property}".`);
    if (property === 'env' && !variable)
      throw new SteadError(
        'OPTION_INVALID',
        'Which variable is to be unset? Its environment as a whole is that of who started it.',
        {
          hint: 'stead unset <sel> env=NAME, or: stead restart <sel> --update-env',
        },
      );
    return { property: option.property, variable: variable ?? null };
  });
}

function refuseIdentity(properties: readonly string[]): void {
  const fixed = properties.find(
    (property) => optionsTable.find((row) => row.property === property)?.isSettable === false,
  );
  if (fixed !== undefined)
    throw new SteadError('OPTION_INVALID', `"${fixed}" says which program it is, and can't be changed.`, {
      hint: 'stead delete <name>, then start it anew',
    });
}

const lists: readonly (keyof SpecOptions)[] = ['env'];

function optionsAfter({ options }: AppSpec, changes: SpecOptions, unset: readonly Unset[]): SpecOptions {
  const merged: Record<string, unknown> = { ...options, ...changes };
  for (const key of lists) if (changes[key]) merged[key] = mergeEnvironment(options.env ?? [], changes.env ?? []);
  for (const { property, variable } of unset) {
    if (variable === null) delete merged[property];
    else merged.env = (options.env ?? []).filter((entry) => !entry.startsWith(`${variable}=`));
    // What is said of watching goes with it.
    if (property === 'watch' && merged.graph !== true) for (const each of Object.keys(ofWatch)) delete merged[each];
  }
  return merged as SpecOptions;
}

function withEnvironment(spec: AppSpec, changes: SpecOptions, unset: readonly Unset[]): AppSpec {
  const names = unset.flatMap(({ variable }) => variable ?? []);
  const kept = spec.env.filter((entry) => !names.some((name) => entry.startsWith(`${name}=`)));
  return { ...spec, env: mergeEnvironment(kept, changes.env ?? []) };
}

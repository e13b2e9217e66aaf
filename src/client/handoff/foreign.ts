/** A unit that somebody else wrote, as an app that is known and does not run yet, and as what systemd keeps. */
import { readConfig } from '../../config/file/read-config.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import type { Foreign } from '../../foreign/model.ts';
import type { Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { properties, type Scope } from '../../systemd/manager.ts';
import { act } from '../act.ts';
import { captureCaller } from '../caller.ts';

/** systemd.exec(5), "ENVIRONMENT VARIABLES IN SPAWNED PROCESSES". */
const usualPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface Named {
  readonly unit: string;
  readonly scope: Scope;
}

/** `load` reads units by their names. Throws APP_NOT_FOUND for a unit that systemd does not know. */
export async function foreignApp(
  home: string,
  { unit, scope }: Named,
  load: (words: readonly string[]) => Promise<Foreign>,
): Promise<{ readonly name: string; readonly keeper: Keeper }> {
  const service = unit.replace(/\.timer$/, '.service');
  const { LoadState, TriggeredBy, ActiveState } = properties(scope, service, [
    'LoadState',
    'TriggeredBy',
    'ActiveState',
  ]);
  if (LoadState !== 'loaded')
    throw new SteadError('APP_NOT_FOUND', `systemd has no unit ${JSON.stringify(service)}: ${LoadState}.`, {
      hint: scope === 'system' ? 'one of your own: --user' : 'systemctl --user list-units',
    });
  const by = TriggeredBy.split(' ').filter((name) => /\.(?:socket|timer|path)$/.test(name));
  const name = await known(home, await load([service, ...by.filter((one) => !one.endsWith('.path'))]));
  const of = (ending: string) => by.filter((one) => one.endsWith(ending));
  const sockets = of('.socket');
  const keeper: Keeper = {
    by: 'systemd',
    scope,
    main: of('.timer')[0] ?? service,
    services: [service],
    sockets,
    triggers: [...of('.timer'), ...of('.path')],
    files: [],
    keys: sockets.flatMap((socket) => keysOf(properties(scope, socket, ['Listen']).Listen)),
    isWanted: ActiveState === 'active' || by.length > 0,
  };
  return { name, keeper };
}

/** `[::]:5000 (Stream)`, `127.0.0.1:80 (Stream)`, `/run/x.sock (Stream)`. */
function keysOf(text: string): readonly string[] {
  const [, address = ''] = /^(.*) \(Stream\)$/.exec(text) ?? [];
  if (/^[/@]/.test(address)) return [`unix:${address}`];
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (port === undefined) return [];
  return [`tcp:${host === '[::]' ? '*' : host.replace(/^\[|\]$/g, '')}:${port}`];
}

/** With the environment that systemd gives a service, not with that of this shell. */
async function known(home: string, { apps, notes }: Foreign): Promise<string> {
  const text = writeConfig({ apps, notes });
  const [app] = readConfig(text, 'what was made of the unit', { env: {} });
  const name = app!.options.name!;
  const { cwd, umask, nice, oomScoreAdj, limits, ...asks } = captureCaller();
  const env = [usualPath, ...(process.env.LANG ? [`LANG=${process.env.LANG}`] : [])];
  const dumped = {
    name,
    app: app!,
    file: null,
    isWanted: false,
    cwd,
    umask: 0o022,
    nice: 0,
    oomScoreAdj: 0,
    limits,
    env,
  };
  const caller = { ...asks, cwd, umask, nice, oomScoreAdj, limits, env };
  const { apps: brought } = await act(home, 'resurrect', { body: { apps: [dumped], caller, wait: true } });
  const error = brought[0]?.error;
  if (error) throw SteadError.fromBody(error);
  return name;
}

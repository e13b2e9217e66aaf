/** `stead import pm2 --take-over`: what pm2 runs, moved here while it serves. */
import { captureCaller } from '../client/caller.ts';
import { findInPath } from '../client/config/ecosystem.ts';
import { Pm2Command } from '../client/take-over/pm2-command.ts';
import { takeOver } from '../client/take-over/take-over.ts';
import { grouped, readProcesses } from '../foreign/pm2/read-dump.ts';
import { escapeControls } from '../host/bytes.ts';
import { dumpContext, type ImportOptions, pm2HomeOf } from './import-pm2.ts';
import { print, say } from './output.ts';

export interface TakeOverCall extends ImportOptions {
  readonly home: string;
  /** Names of apps; all if it is empty. */
  readonly only: readonly string[];
}

/** The exit code: 1 if an app could not be moved. */
export async function takeOverPm2({ home, only, ...options }: TakeOverCall): Promise<number> {
  const pm2Home = pm2HomeOf(options.env);
  const path = findInPath('pm2', { cwd: options.cwd, path: options.env.PATH ?? '' });
  const pm2 = Pm2Command.find({ home: pm2Home, path, env: options.env });
  const tell = (text: string) => print(escapeControls(text));
  const processes = (await pm2.list()).filter(
    ({ name, pm2_env: env }) => env.pmx_module !== true && (only.length === 0 || only.includes(name)),
  );
  if (processes.length === 0) {
    tell('pm2 runs no apps.');
    return 0;
  }
  const entries = processes.map((one) => ({ ...one.pm2_env, name: one.name, process: one }));
  const groups = grouped(entries);
  const { apps } = readProcesses(entries, dumpContext(`${pm2Home}/dump.pm2`, options));
  let failed = 0;
  for (const [at, app] of apps.entries()) {
    for (const note of app.notes) say(escapeControls(`${String(app.stanza.name)}: ${note}`));
    const move = { app, processes: groups[at]!.map((entry) => (entry as unknown as (typeof entries)[0]).process) };
    if (!(await takeOver(move, { home, pm2, caller: captureCaller(), tell }))) failed += 1;
  }
  tell(
    `${apps.length - failed} of ${apps.length} moved. So that pm2 starts none of them again: pm2 save --force, pm2 unstartup`,
  );
  return failed > 0 ? 1 : 0;
}

import { createInterface } from 'node:readline';
import { act } from '../../client/act.ts';
import { whoAsks } from '../../client/caller.ts';
import { request } from '../../client/http.ts';
import { removeHome } from '../../client/remove-home.ts';
import { recordedUnit } from '../../client/start-unit.ts';
import { ownAccount } from '../../client/startup.ts';
import { isDaemonDown } from '../../client/unreachable.ts';
import { unstartup } from '../../client/unstartup.ts';
import { untilDaemonStopped } from '../../client/until-stopped.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { AppView } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { isTerminal, print, printJson, say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { readApps } from '../reading.ts';

export const command: Command = {
  name: 'uninstall',
  usage: ['uninstall [--purge] [--yes]'],
  about: [
    'Ends all apps and the daemon and removes what stead keeps in its home. Logs and configuration stay, unless --purge removes them. What runs is named, and you are asked before.',
    'The command itself goes by the way it came: npm uninstall -g stead.',
  ],
  examples: [
    ['stead uninstall', 'look what would end, and decide'],
    ['stead uninstall --purge --yes', 'leave nothing, and do not ask'],
  ],
  flags: () => [
    { name: 'purge', type: 'boolean', text: 'remove the logs and the configuration, too' },
    { name: 'yes', short: 'y', type: 'boolean', text: 'do not ask' },
  ],
  run: uninstall,
};

async function uninstall({ home, values, json }: Call): Promise<number> {
  assertWritable(home);
  const purge = values.purge === true;
  const apps = await readApps(home);
  const running = apps.filter(({ state }) => !['stopped', 'completed', 'failed'].includes(state));
  if (values.yes !== true) await ask(home, { running, known: apps.length, purge });
  if (apps.length > 0) await withProgress('Ending all apps …', endAll(home, purge));
  if (recordedUnit(home) !== null) await unstartup({ account: ownAccount(), home, scope: 'user', env: process.env });
  await stopDaemon(home);
  const left = removeHome(home, { purge });
  if (json) printJson({ home, ended: running.map(({ name }) => name), left });
  else {
    print(
      left.length === 0
        ? `${escapeControls(home)} is gone.`
        : `In ${escapeControls(home)} stay: ${left.map(escapeControls).join(', ')}.`,
    );
    print('To remove the command: npm uninstall -g stead');
  }
  return 0;
}

async function endAll(home: string, purge: boolean): Promise<void> {
  const { results } = await act(home, 'delete', { body: { select: ['all'], caller: whoAsks(), wait: true, purge } });
  const failed = results.find(({ error }) => error !== null);
  if (failed) throw SteadError.fromBody(failed.error!);
}

async function stopDaemon(home: string): Promise<void> {
  try {
    const { pid } = await request(home, 'daemonStatus');
    await request(home, 'daemonStop', { body: {}, timeoutMs: 20_000 });
    await untilDaemonStopped(home, pid);
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
  }
}

/** Names what ends; throws unless the answer is yes. */
async function ask(
  home: string,
  { running, known, purge }: { running: readonly AppView[]; known: number; purge: boolean },
): Promise<void> {
  const names = running.map(({ name }) => escapeControls(name)).join(', ');
  say(
    `${running.length === 0 ? 'Nothing runs' : `These end: ${names}`}; ${known} ${known === 1 ? 'app is' : 'apps are'} forgotten${purge ? ', with all logs' : ''}: ${escapeControls(home)}`,
  );
  if (!isTerminal(0))
    throw new SteadError('UNSUPPORTED', 'There is no terminal to ask on, so nothing was done', {
      hint: 'stead uninstall --yes',
    });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve(''));
    lines.question('Go on? (yes/no) ', resolve);
  });
  lines.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new SteadError('UNSUPPORTED', 'Nothing was done');
}

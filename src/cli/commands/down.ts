import { act } from '../../client/act.ts';
import { whoAsks } from '../../client/caller.ts';
import { configPaths } from '../../client/config/load-config.ts';
import { escapeControls } from '../../host/bytes.ts';
import { exitCodeOf } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { sayError } from '../failure.ts';
import { print, printJson, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { readApps } from '../reading.ts';

export const command: Command = {
  name: 'down',
  usage: ['down [config file] [-f FILE] [--no-wait]'],
  about: [
    'Ends all apps that a config file made, those first that others do not wait for, and forgets them. Their logs stay. The file itself is not read, so that it may have changed, or be gone.',
  ],
  examples: [['stead down', 'what stead.config.yaml, .json, .js or .ts in this directory has made']],
  flags: () => [
    { name: 'file', short: 'f', type: 'texts', value: 'config', text: 'the config file; of several the first' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without waiting for their end' },
  ],
  run: down,
};

async function down({ home, words, values, json }: Call): Promise<number> {
  const files = [...words, ...((values.file as readonly string[] | undefined) ?? [])];
  const paths = configPaths(files[0], process.cwd());
  const apps = (await readApps(home)).filter(({ file }) => paths.includes(file ?? ''));
  if (apps.length === 0) {
    if (json) printJson([]);
    else print(`Nothing of ${escapeControls(paths[0]!)} is there.`);
    return 0;
  }
  assertWritable(home);
  const body = {
    select: apps.map(({ name }) => name),
    purge: false,
    caller: whoAsks(),
    wait: values['no-wait'] !== true,
  };
  const { results } = await withProgress(`Ending ${apps.length} apps …`, act(home, 'delete', { body }));
  const failed = results.find(({ error }) => error !== null);
  if (json) printJson(failed ? { error: failed.error } : results.map(({ app }) => app.name));
  else
    for (const { app, error } of results) {
      if (error === null) print(`${escapeControls(app.name)} ended and forgotten`);
      else sayError(error);
    }
  return failed ? exitCodeOf(failed.error!.code) : 0;
}

import { makeDump, usualDump, writeDump } from '../../client/dump.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, write } from '../output.ts';
import { ownVersion } from '../own-version.ts';
import { assertDirectory } from '../reading.ts';

export const command: Command = {
  name: 'dump',
  usage: ['dump [file | -] [--bare]'],
  about: [
    'Writes all apps into one file, with which stead resurrect brings them up: after a reinstallation, or on another machine. Nothing needs it after a reboot: what was wanted is on disk anyway.',
    'It holds the environment that each app was started from, secrets too, and can be read by you alone. Without a name it is dump.json in the home; the one before is kept as dump.json.prev.',
  ],
  examples: [
    ['stead dump apps.json', 'into a file'],
    ['stead dump - | ssh other stead resurrect -', 'to another machine'],
  ],
  flags: () => [{ name: 'bare', type: 'boolean', text: 'without the environment: it is that of who resurrects' }],
  run: dump,
};

async function dump({ home, words, values, json }: Call): Promise<number> {
  assertDirectory(home);
  const [file = usualDump(home)] = words;
  const made = makeDump(home, { version: ownVersion(), isBare: values.bare === true });
  if (file === '-') {
    write(1, `${JSON.stringify(made, null, 2)}\n`);
    return 0;
  }
  writeDump(file, made);
  if (json) printJson({ file, apps: made.apps.map(({ name }) => name) });
  else print(`${made.apps.length} ${made.apps.length === 1 ? 'app is' : 'apps are'} in ${escapeControls(file)}`);
  return 0;
}

import { readFileSync } from 'node:fs';
import { act } from '../../client/act.ts';
import { captureCaller } from '../../client/caller.ts';
import { type Dump, parseDump, readDump, usualDump } from '../../client/dump.ts';
import { escapeControls } from '../../host/bytes.ts';
import { tellApplied } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';
import { say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';

export const command: Command = {
  name: 'resurrect',
  usage: ['resurrect [file | -] [--no-wait]'],
  about: [
    'Brings up the apps of a dump, as they were: what was stopped is known, and stays stopped. What is there already under its name is left as it is, and started if it was wanted: twice is as once. One that can’t be brought up, as its directory or program is missing here, holds up no other.',
  ],
  examples: [
    ['stead resurrect apps.json', 'from a file'],
    ['stead resurrect', 'from dump.json in the home'],
  ],
  flags: () => [{ name: 'no-wait', type: 'boolean', text: 'return at once, without a look at the first moments' }],
  run: resurrect,
};

async function resurrect({ home, words, values, json }: Call): Promise<number> {
  const dump = read(words[0] ?? usualDump(home));
  assertWritable(home);
  const body = { apps: dump.apps, caller: captureCaller(), wait: values['no-wait'] !== true };
  const answer = await withProgress(`Bringing up ${dump.apps.length} apps …`, act(home, 'resurrect', { body }));
  return tellApplied(answer, { json, isDryRun: false });
}

function read(file: string): Dump {
  if (file === '-') return parseDump(readFileSync(0, 'utf8'), 'the standard input');
  const { dump, isPrevious } = readDump(file);
  if (isPrevious) say(escapeControls(`${file} is broken: the one before it is taken`));
  return dump;
}

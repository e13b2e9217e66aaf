import { act } from '../../client/act.ts';
import { whoAsks } from '../../client/caller.ts';
import { optionFlags, toSpecOptions } from '../../config/parse.ts';
import { escapeControls } from '../../host/bytes.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, say } from '../output.ts';
import { assertWritable } from '../ownership.ts';

export const command: Command = {
  name: 'adopt',
  usage: ['adopt <pid…> [options]'],
  about: [
    'Takes over a program that runs already: from then on it is listed, stopped, and started again when it ends, as if stead had started it, with the arguments, directory and environment that it has now.',
    "Its output stays where it goes and its exit code can't be known, until stead restarts it. What is stopped (Ctrl-Z) is continued.",
  ],
  examples: [
    ['stead adopt 4711 --name api', 'a program by its pid'],
    ['stead adopt $(jobs -p)', 'all jobs of this shell, before you log out: as disown -a'],
    ['stead adopt $(jobs -p %2)', 'job 2: as disown %2'],
  ],
  flags: () => optionFlags('adopt'),
  run: adopt,
};

async function adopt({ home, words, values, json }: Call): Promise<number> {
  if (words.length === 0)
    throw new SteadError('USAGE', 'stead adopt needs the pid of a program', {
      hint: 'stead adopt $(jobs -p), or look with ps -ef',
    });
  assertWritable(home);
  const pids = words.map(toPid);
  if (pids.length > 1 && values.name !== undefined)
    throw new SteadError('USAGE', "One name can't be given to several programs", { hint: 'adopt them one by one' });
  const adopted = [];
  for (const pid of pids) {
    const answer = await act(home, 'adopt', { body: { pid, options: toSpecOptions(values), caller: whoAsks() } });
    adopted.push(answer);
    if (json) continue;
    print(`${escapeControls(answer.app.name)} adopted, pid ${pid}`);
    for (const note of answer.notes) say(`  ${escapeControls(note)}`);
  }
  if (json) printJson(adopted);
  return 0;
}

function toPid(word: string): number {
  if (/^[1-9]\d{0,9}$/.test(word)) return Number(word);
  throw new SteadError('USAGE', `"${escapeControls(word)}" is no pid`, {
    hint: 'a job of this shell: stead adopt $(jobs -p %1)',
  });
}

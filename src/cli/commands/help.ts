import { nearest } from '../../config/nearest.ts';
import { SteadError } from '../../protocol/errors.ts';
import { catalogue } from '../catalogue.ts';
import type { Call, Command } from '../command.ts';
import { print } from '../output.ts';
import { renderHelp, renderOverview } from '../render/help.ts';
import { allFlags } from '../run-command.ts';
import { topics } from '../topics.ts';
import { allVerbWords, findVerb, insteadOf } from '../verbs.ts';
import { command as completion } from './completion.ts';

export const command: Command = {
  name: 'help',
  usage: ['help [command | topic]'],
  about: [`Topics: ${Object.keys(topics).join(', ')}.`],
  examples: [
    ['stead help', 'all commands'],
    ['stead help start', 'one command'],
    ['stead help exit-codes', 'a topic'],
  ],
  flags: () => [],
  hasJson: false,
  run: help,
};

async function help({ words: [word] }: Call): Promise<number> {
  if (word === undefined) print(renderOverview(Object.keys(topics)).join('\n'));
  else print((topics[word] ?? helpOf(word)).join('\n'));
  return 0;
}

function helpOf(word: string): readonly string[] {
  const name = findVerb(word, []);
  const found = [...catalogue, completion, command].find((one) => one.name === name);
  if (found) return renderHelp(found, allFlags(found));
  const near = nearest(word, [...allVerbWords(), ...Object.keys(topics)]);
  const hint = insteadOf(word) ?? (near ? `did you mean stead help ${near}?` : 'stead help lists all');
  throw new SteadError('USAGE', `There is no command or topic ${JSON.stringify(word)}`, { hint });
}

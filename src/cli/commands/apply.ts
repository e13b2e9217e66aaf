import { applyConfig } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';

export const command: Command = {
  name: 'apply',
  usage: ['apply [config file] [--dry-run] [--no-wait]'],
  about: [
    'Brings the apps of a config file to what is said there: new ones are started, those that were changed are started again unless a run can have the change as it goes on, the others are left alone. A file with a mistake is refused whole. Without a name it is stead.config.yaml or stead.config.json here.',
    'stead start <config file> does the same. stead help config shows what a file looks like.',
  ],
  examples: [
    ['stead apply', 'stead.config.yaml or .json in this directory'],
    ['stead apply shop.yaml --dry-run', 'say what would be done'],
  ],
  flags: () => [
    { name: 'dry-run', type: 'boolean', text: 'only say what would be done' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without a look at the first moments' },
  ],
  run: ({ home, words, values, json }: Call) =>
    applyConfig(home, { words, json, isDryRun: values['dry-run'] === true, isAwaited: values['no-wait'] !== true }),
};

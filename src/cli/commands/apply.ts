import { applyCalled, configFlags } from '../apply-config.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'apply',
  usage: ['apply [config file] [--env PROFILE] [--only NAMES]', 'apply [-f FILE…] [--prune] [--dry-run] [--no-wait]'],
  about: [
    'Brings the apps of a config file to what is said there: new ones are started, those that were changed are reloaded or started again unless a run can have the change as it goes on, the others are left alone. What is different is said. A file with a mistake is refused whole. Without a name it is stead.config.yaml, .json, .js or .ts here.',
    'stead start <config file> does the same, stead up does it in the foreground. stead help config shows what a file looks like.',
  ],
  examples: [
    ['stead apply', 'stead.config.yaml, .json, .js or .ts in this directory'],
    ['stead apply shop.yaml --dry-run', 'say what would be done'],
    ['stead apply --env production --prune', 'with env_production; what the file names no more is ended and forgotten'],
  ],
  flags: () => [
    ...configFlags,
    { name: 'prune', type: 'boolean', text: 'end and forget what the file made and names no more' },
    { name: 'dry-run', type: 'boolean', text: 'only say what would be done' },
    { name: 'no-wait', type: 'boolean', text: 'return at once, without a look at the first moments' },
  ],
  run: (call) => applyCalled(call),
};

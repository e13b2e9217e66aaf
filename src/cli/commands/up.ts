import { applyCalled, configFlags, loadCalled } from '../apply-config.ts';
import type { Call, Command } from '../command.ts';
import { upProject } from '../up-project.ts';

export const command: Command = {
  name: 'up',
  usage: ['up [config file] [-f FILE…] [--env PROFILE] [--only NAMES] [-d]'],
  about: [
    'Applies a config file and shows what its apps print, each line with the name before it. Ctrl-C or SIGTERM ends all of them, those first that others do not wait for, and then the command, with 0; a second one kills. When none of them runs any more by itself it ends, too, with the exit code of the one that failed last. With -d it does the same in the background as apply.',
    'In a container it may be PID 1: it needs no other init, reaps what programs leave behind, and writes nowhere but to STEAD_HOME.',
  ],
  examples: [
    ['stead up', 'stead.config.yaml, .json, .js or .ts in this directory'],
    ['stead up -d', 'in the background; stead down ends it'],
    ['STEAD_HOME=/tmp/stead stead up -f /app/stead.config.yaml', 'as the command of a container'],
  ],
  flags: () => [
    ...configFlags,
    { name: 'detach', short: 'd', type: 'boolean', text: 'in the background' },
    { name: 'prune', type: 'boolean', text: 'end and forget what the file made and names no more' },
  ],
  hasJson: false,
  run: up,
};

async function up(call: Call): Promise<number> {
  if (call.values.detach === true) return applyCalled(call);
  const { home, values } = call;
  return upProject(home, await loadCalled(call), {
    isPruned: values.prune === true,
    isPartial: values.only !== undefined,
  });
}

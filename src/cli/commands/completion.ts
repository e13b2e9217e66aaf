import { SteadError } from '../../protocol/errors.ts';
import { catalogue } from '../catalogue.ts';
import type { Call, Command } from '../command.ts';
import { print } from '../output.ts';
import { renderCompletion, type Shell, shells } from '../render/completion.ts';
import { allFlags } from '../run-command.ts';

export const command: Command = {
  name: 'completion',
  usage: ['completion bash | zsh | fish'],
  about: ['Prints a script that completes commands, options and the names of apps.'],
  examples: [
    ['eval "$(stead completion bash)"', 'in ~/.bashrc'],
    ['eval "$(stead completion zsh)"', 'in ~/.zshrc, after compinit'],
    ['stead completion fish > ~/.config/fish/completions/stead.fish', 'once'],
  ],
  flags: () => [],
  hasJson: false,
  run: completion,
};

async function completion({ words: [shell] }: Call): Promise<number> {
  if (shell === undefined || !shells.includes(shell as Shell)) {
    throw new SteadError('USAGE', `stead completion takes ${shells.join(', ')}`, {
      hint: 'eval "$(stead completion bash)"',
    });
  }
  print(
    renderCompletion(
      shell as Shell,
      catalogue.map((one) => ({ name: one.name, flags: allFlags(one) })),
    ),
  );
  return 0;
}

import { bootRecipe } from '../../client/other-inits.ts';
import { unstartup as takeBack } from '../../client/unstartup.ts';
import { isBooted } from '../../systemd/manager.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, withProgress } from '../output.ts';
import { assertAllowed, wantedOf } from './startup.ts';

export const command: Command = {
  name: 'unstartup',
  usage: ['unstartup [--user <name> | --system]'],
  about: [
    'Takes the unit of stead startup away: nothing of stead starts at boot any more. The daemon goes on without systemd, and no program notices. Linger stays as it is: loginctl disable-linger.',
  ],
  examples: [['stead unstartup', 'what stead startup did for you']],
  flags: () => [
    { name: 'user', type: 'text', value: 'name', text: 'as root: whose apps' },
    { name: 'system', type: 'boolean', text: "the unit of the machine's, not of your own systemd" },
  ],
  run: unstartup,
};

async function unstartup(call: Call): Promise<number> {
  const wanted = wantedOf(call);
  if (!isBooted()) {
    const { init, path } = bootRecipe(wanted);
    if (call.json) printJson({ changed: false });
    else
      print(
        `This machine does not run systemd, so there is no unit. What starts stead here was set up by hand (${init}): ${path === null ? 'crontab -e' : `remove ${path}`}.`,
      );
    return 0;
  }
  assertAllowed(wanted, 'unstartup');
  const { place, changed, goesOn } = await withProgress('Taking the daemon out of systemd …', takeBack(wanted));
  if (call.json) printJson({ unit: place.name, scope: place.scope, path: place.path, changed });
  else if (!changed) print('No unit of stead startup was there.');
  else
    print(
      `${place.name} is gone: nothing of stead starts at boot.${goesOn ? ' The daemon goes on without systemd; no program was restarted.' : ''}`,
    );
  return 0;
}

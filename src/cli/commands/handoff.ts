import { managerVersionOf, planned, whoGoes } from '../../client/handoff/choose.ts';
import { handOver } from '../../client/handoff/handoff.ts';
import { type Hardening, hardenings } from '../../foreign/systemd/writing/hardening.ts';
import { escapeControls } from '../../host/bytes.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';
import { assertDirectory } from '../reading.ts';
import { requireSelectors } from '../selectors.ts';
import { withoutInterrupts } from '../uninterrupted.ts';

export const command: Command = {
  name: 'handoff',
  usage: ['handoff <sel…> [--system | --user] [--hardening how] [--dry-run]'],
  about: [
    'Hands apps over to systemd: writes units for them, starts these and ends what stead ran, never two copies at a time. Who connects to a socket that stead holds meanwhile is served. What does not come up there stays with stead, as it was.',
    'Afterwards systemd keeps them, at boot as well; in stead list they stay, and start, stop, restart, logs, why and show work on them. stead takeback takes them back.',
    "Units are the machine's where you are root, else your own (systemctl --user). The whole environment goes along, but for what belongs to a login: what looks secret into a file that its owner alone reads.",
  ],
  examples: [
    ['stead handoff web', 'web is kept by systemd from now on'],
    ['stead handoff web --dry-run', 'its units, and nothing is done'],
    ['stead handoff @shop --hardening strict', 'a group, with all that keeps programs in'],
  ],
  flags: () => [
    { name: 'system', type: 'boolean', text: "the machine's systemd: as root" },
    { name: 'user', type: 'boolean', text: 'your own systemd' },
    {
      name: 'hardening',
      type: 'choice',
      choices: hardenings,
      default: 'default',
      text: 'what the units keep the programs from',
    },
    { name: 'dry-run', type: 'boolean', text: 'print the units, and do nothing' },
  ],
  run: handoff,
};

async function handoff({ home, words, values, json }: Call): Promise<number> {
  const selectors = requireSelectors(words, 'handoff');
  if (values.system === true && values.user === true)
    throw new SteadError('USAGE', "--system and --user: one systemd, the machine's or yours");
  assertDirectory(home);
  assertWritable(home);
  const scope = values.system === true || (values.user !== true && process.geteuid!() === 0) ? 'system' : 'user';
  const isDry = values['dry-run'] === true;
  const version = await managerVersionOf(scope, isDry);
  const hardening = (values.hardening ?? 'default') as Hardening;
  const going = await whoGoes(home, selectors);
  const results: { readonly name: string; readonly unit: string; readonly files: readonly string[] }[] = [];
  for (const one of going.apps) {
    const plan = await planned(home, one, { ...going, scope, hardening, version });
    if (isDry && !json) print(plan.files.map(({ name, text }) => `# ${plan.directory}/${name}\n${text}`).join('\n'));
    if (!isDry) {
      const work = withoutInterrupts(() => handOver(home, plan));
      await withProgress(`Handing ${escapeControls(one.name)} over …`, work);
      if (!json) print(`${escapeControls(one.name)} is kept by systemd from now on: ${plan.keeper.main}`);
    }
    results.push({
      name: one.name,
      unit: plan.keeper.main,
      files: plan.files.map(({ name }) => `${plan.directory}/${name}`),
    });
  }
  if (json) printJson(results);
  return 0;
}

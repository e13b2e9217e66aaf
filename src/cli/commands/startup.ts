import { join } from 'node:path';
import { type Account, findAccount } from '../../client/accounts.ts';
import { bootRecipe } from '../../client/other-inits.ts';
import { ownAccount, type Plan, planStartup, startup as setUp, type Wanted } from '../../client/startup.ts';
import { SteadError } from '../../protocol/errors.ts';
import { flag, isBooted } from '../../systemd/manager.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson, say, withProgress } from '../output.ts';
import { assertWritable } from '../ownership.ts';

export const command: Command = {
  name: 'startup',
  usage: ['startup [--dry-run]', 'startup --user <name> | --system [--dry-run]'],
  about: [
    "Has systemd start the daemon when the machine boots, and with it all that you want to run: as an ordinary user a unit of your own systemd, which is asked to run from boot on (linger); as root a unit of the machine's. A daemon that runs comes under systemd at once, and no program notices.",
    'systemctl restart keeps every program; systemctl stop ends them all, those last on which others depend. Without systemd it prints what to do instead.',
  ],
  examples: [
    ['stead startup', 'for yourself'],
    ['sudo stead startup --user deploy', "for deploy's apps, by a unit of the machine's"],
    ['stead startup --dry-run', 'see the unit, and what would be done'],
  ],
  flags: () => bootFlags,
  run: startup,
};

const bootFlags = [
  { name: 'user', type: 'text', value: 'name', text: 'as root: whose apps' },
  { name: 'system', type: 'boolean', text: "a unit of the machine's, not of your own systemd" },
  { name: 'no-linger', type: 'boolean', text: 'begin when you log in, and end when you log out' },
  { name: 'dry-run', type: 'boolean', text: 'print the unit and what would be done, and do nothing' },
] as const;

async function startup(call: Call): Promise<number> {
  const wanted = wantedOf(call);
  if (!isBooted()) return printRecipe(wanted, call);
  if (call.values['dry-run'] !== true) assertAllowed(wanted, 'startup');
  const planned = planStartup(wanted);
  const plan = call.values['no-linger'] === true ? { ...planned, needsLinger: false } : planned;
  if (call.values['dry-run'] === true) return printPlan(plan, call);
  if (wanted.account.uid === process.getuid?.()) assertWritable(wanted.home);
  const { pid, changed } = await withProgress('Bringing the daemon under systemd …', setUp(wanted, plan));
  const { name, path, scope } = plan.place;
  if (call.json) printJson({ unit: name, scope, path, pid, changed });
  else {
    print(
      changed
        ? `systemd keeps the daemon from now on (${name}, pid ${pid}), and starts it at boot. No program was restarted.`
        : `${name} keeps the daemon already (pid ${pid}); nothing was changed.`,
    );
    print(`  systemctl ${flag(scope)}status ${name}    how it does`);
    print('  stead unstartup                   take it back');
  }
  return 0;
}

/** Whose daemon, under which systemd. Throws USAGE, USER_UNKNOWN, HOME_UNSAFE. */
export function wantedOf({ home, values }: Call): Wanted {
  const me = ownAccount();
  const isRoot = process.getuid?.() === 0;
  const account: Account = typeof values.user === 'string' ? findAccount(values.user) : me;
  const isOther = account.uid !== me.uid;
  return {
    account,
    home: isOther ? join(account.home, '.stead') : home,
    scope: isRoot || isOther || values.system === true || values.user !== undefined ? 'system' : 'user',
    env: process.env,
  };
}

/** Throws NOT_PERMITTED. */
export function assertAllowed({ scope, account }: Wanted, verb: 'startup' | 'unstartup'): void {
  if (scope === 'user' || process.getuid?.() === 0) return;
  throw new SteadError('NOT_PERMITTED', "A unit of the machine's is root's to write", {
    hint: `sudo ${process.execPath} ${process.argv[1]} ${verb} --user ${account.name}; or for yourself alone: stead ${verb}`,
  });
}

function printPlan({ place, text, commands }: Plan, { json }: Call): number {
  if (json) printJson({ unit: place.name, scope: place.scope, path: place.path, text, commands });
  else {
    say(`${place.path} would be:`);
    print(text.trimEnd());
    say(`and then: ${commands.join('; ')}`);
  }
  return 0;
}

/** Nothing is done: exit code 1, so that a script notices. */
function printRecipe(wanted: Wanted, { json, values }: Call): number {
  const recipe = bootRecipe(wanted);
  if (json) printJson(recipe);
  else {
    const where = recipe.path === null ? 'a line for the crontab' : recipe.path;
    say(`This machine does not run systemd; nothing was changed. For ${recipe.init}, ${where}:`);
    print(recipe.text.trimEnd());
    say(`and then: ${recipe.steps.join('; ')}`);
    say('before, so that it finds what it runs: stead daemon prepare');
  }
  return values['dry-run'] === true ? 0 : 1;
}

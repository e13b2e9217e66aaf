/** Marks in a home that say how its unit is meant, made by a process of its owner. */
import { join } from 'node:path';
import { type Account, runAs } from './accounts.ts';

interface Whose {
  readonly account: Account;
  readonly home: string;
}

/** The end of the unit leaves the programs alone: `unit.sh` looks for this file. */
export function leave({ account, home }: Whose): void {
  runAs(account, home, ['/bin/sh', '-c', ': >"$1"', 'sh', join(home, 'leave')]);
}

/** The home has no unit. */
export function forget({ account, home }: Whose): void {
  runAs(account, home, ['/bin/rm', '-f', join(home, 'leave'), join(home, 'unit')]);
}

/** Short commands that belong to an app: probes, stop commands, hooks. They run beside it, not in its tree. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { App } from './app.ts';

/** Its own session; the app's directory, environment and user. What it prints goes nowhere. */
export function spawnFor(
  { spec }: Pick<App, 'spec'>,
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const { user } = spec;
  const words =
    user === null
      ? [command, ...args]
      : [
          '/usr/bin/setpriv',
          `--reuid=${user.uid}`,
          `--regid=${user.gid}`,
          '--init-groups',
          '--inh-caps=-all',
          '--',
          command,
          ...args,
        ];
  const own = Object.fromEntries(
    spec.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  return spawn(words[0]!, words.slice(1), {
    cwd: spec.cwd,
    detached: true,
    env: { ...own, ...env },
    stdio: 'ignore',
  });
}

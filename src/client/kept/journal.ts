/** What an app that systemd keeps prints, where that goes to the journal: journalctl(1) shows it, on this terminal. */
import { spawn } from 'node:child_process';
import type { AppView, Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { systemctl } from '../../systemd/manager.ts';

/** Its output is not in files that stead knows. */
export function printsToJournal({ keeper }: AppView): boolean {
  if (!keeper) return false;
  const words = ['show', '--value', '--property=StandardOutput', keeper.services[0]!];
  try {
    const { code, stdout } = systemctl(keeper.scope, words);
    return code === 0 && toJournal.includes(stdout.trim());
  } catch {
    // There is no systemctl: what stead has of it is all that can be shown.
    return false;
  }
}

const toJournal = ['', 'journal', 'inherit', 'syslog', 'kmsg', 'journal+console'];

export interface JournalOptions {
  readonly lines: number | 'all';
  readonly isFollowed: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number | null;
  readonly until: number | null;
  readonly pattern: { readonly text: string; readonly ignoreCase: boolean } | null;
  readonly timestamps: boolean;
  readonly json: boolean;
}

/** Of one manager's units. Its exit code. */
export function showJournal(keepers: readonly Keeper[], options: JournalOptions): Promise<number> {
  const { scope } = keepers[0]!;
  const at = (name: string, ms: number | null) => (ms === null ? [] : [`--${name}=@${(ms / 1000).toFixed(3)}`]);
  const words = [
    `--${scope}`,
    '--no-pager',
    '--quiet',
    `--lines=${options.lines}`,
    `--output=${options.json ? 'json' : options.timestamps || keepers.length > 1 ? 'short-iso' : 'cat'}`,
    ...(options.isFollowed ? ['--follow'] : []),
    ...at('since', options.since),
    ...at('until', options.until),
    ...(options.pattern === null
      ? []
      : [`--grep=${options.pattern.text}`, `--case-sensitive=${options.pattern.ignoreCase ? 'no' : 'yes'}`]),
    ...keepers.flatMap(({ services }) => services.map((unit) => `--unit=${unit}`)),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('journalctl', words, { stdio: 'inherit' });
    child.once('error', () =>
      reject(
        new SteadError('UNSUPPORTED', 'There is no journalctl on this machine, and its output goes to the journal.', {
          hint: `systemctl status ${keepers[0]!.main}`,
        }),
      ),
    );
    child.once('close', (code) => resolve(code ?? 1));
  });
}

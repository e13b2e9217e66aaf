/** Why an app that systemd keeps is as it is: by systemd's word, and by the last lines that it has. */
import { spawnSync } from 'node:child_process';
import type { AppView, Keeper, WhyView } from '../../protocol/api.ts';
import { flag, systemctl } from '../../systemd/manager.ts';

const shownLines = 10;

export function keptWhy(view: WhyView, { state, want, reason, instances }: AppView, keeper: Keeper): WhyView {
  const [unit] = keeper.services;
  return {
    ...view,
    state,
    want,
    reason,
    since: instances[0]?.since ?? null,
    restarts: instances.reduce((sum, { restarts }) => sum + restarts, 0),
    nextRun: null,
    findings: [
      { what: `systemd keeps it, as ${keeper.main}`, hint: `systemctl ${flag(keeper.scope)}status ${unit}` },
      ...(['failed', 'backoff'].includes(state)
        ? [{ what: lastWords(keeper).join('\n'), hint: `journalctl ${flag(keeper.scope)}-u ${unit}` }].filter(
            ({ what }) => what !== '',
          )
        : []),
    ],
  };
}

/** Of the journal; where there is none, of what systemctl has to say. */
function lastWords({ scope, services }: Keeper): readonly string[] {
  const units = services.flatMap((unit) => ['-u', unit]);
  const { stdout } = spawnSync(
    'journalctl',
    [`--${scope}`, '--no-pager', '-q', '-o', 'cat', '-n', String(shownLines), ...units],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const lines = (stdout ?? '').split('\n').filter(Boolean);
  if (lines.length > 0) return lines;
  const status = systemctl(scope, ['status', '--lines=0', ...services]).stdout.split('\n');
  return status.filter((line) => /^\s*(?:Active|Process|Main PID|Status):/.test(line)).map((line) => line.trim());
}

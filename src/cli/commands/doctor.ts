import { examine, type Finding } from '../../client/examine.ts';
import { request } from '../../client/http.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { DaemonView } from '../../protocol/api.ts';
import type { Call, Command } from '../command.ts';
import { print, printJson } from '../output.ts';
import { ownVersion } from '../own-version.ts';

export const command: Command = {
  name: 'doctor',
  usage: ['doctor'],
  about: [
    'Looks at this machine and this home for what is wrong or will not work as hoped: permissions, files that did not parse, disk, inotify, cgroups, logind, what happens at boot, versions. Each finding comes with what mends it. Exit code 1 if there is a problem.',
  ],
  examples: [['stead doctor', 'look at everything']],
  flags: () => [],
  run: doctor,
};

async function doctor({ home, json }: Call): Promise<number> {
  const daemon: DaemonView | null = await request(home, 'daemonStatus').catch(() => null);
  const findings = examine({ home, version: ownVersion(), daemon, env: process.env });
  const problems = findings.filter(({ level }) => level === 'problem').length;
  if (json) printJson(findings);
  else {
    for (const one of findings) for (const line of lines(one)) print(escapeControls(line));
    print('');
    print(
      problems === 0
        ? 'No problem was found.'
        : `${problems} ${problems === 1 ? 'problem was' : 'problems were'} found.`,
    );
  }
  return problems === 0 ? 0 : 1;
}

const lines = ({ level, about, text, mend }: Finding): string[] => [
  `${level.padEnd(8)}${about.padEnd(10)}${text}`,
  ...(mend === null ? [] : [`${' '.repeat(18)}→ ${mend}`]),
];

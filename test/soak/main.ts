import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { daemonKills } from '../faults/harness/daemon-kills.ts';
import { launcherKills, launcherKillsOnFullDisk } from '../faults/harness/launcher-kills.ts';
import { logRotation } from '../faults/harness/log-rotation.ts';
import { reloads } from '../faults/harness/reloads.ts';
import { concurrent, storm } from '../faults/harness/storm.ts';
import { syscalls } from '../faults/harness/syscalls.ts';
import { clientsShowTheSame } from '../faults/harness/terminal-clients.ts';
import { terminalEnds } from '../faults/harness/terminal-ends.ts';
import { terminalKills } from '../faults/harness/terminal-kills.ts';
import { manySessions } from '../faults/harness/terminal-many.ts';
import { Stead } from '../support/stead.ts';

export interface Soak {
  readonly runs: number;
  readonly seed: number;
  readonly say: (text: string) => void;
}

const scenarios: Readonly<Record<string, (stead: Stead, soak: Soak) => Promise<void>>> = {
  'daemon-kills': (stead, { runs, ...soak }) => daemonKills(stead, { kills: runs, ...soak }),
  faults: (stead, { runs, ...soak }) => storm(stead, { seconds: runs, kills: Math.ceil(runs / 3), ...soak }),
  'launcher-kills': (stead, { runs, ...soak }) => launcherKills(stead, { starts: runs, ...soak }),
  'launcher-kills-full-disk': async (stead, { runs, ...soak }) => {
    mkdirSync(stead.home, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', stead.home]);
    try {
      await launcherKillsOnFullDisk(stead, { starts: runs, ...soak });
    } finally {
      await stead.endPrograms();
      execFileSync('umount', ['-l', stead.home]);
    }
  },
  // `--runs` is lines, in thousands.
  'log-rotation': (stead, { runs, ...soak }) => logRotation(stead, { lines: runs * 1000, kills: 10, ...soak }),
  reloads: (stead, { runs, ...soak }) => reloads(stead, { reloads: runs, ...soak }),
  concurrent: (stead, { runs, ...soak }) => concurrent(stead, { rounds: runs, ...soak }),
  'terminal-kills': (stead, { runs, ...soak }) => terminalKills(stead, { kills: runs, ...soak }),
  'terminal-ends': (stead, { runs, ...soak }) => terminalEnds(stead, { ends: runs, ...soak }),
  'terminal-many': (stead, { runs, say }) => manySessions(stead, { rounds: runs, each: 100, say }),
  // `--runs` is megabytes.
  'terminal-clients': async (stead, { runs, ...soak }) => {
    await stead.ok(['daemon', 'restart']);
    await clientsShowTheSame(stead, { megabytes: runs, ...soak });
  },
  syscalls: (stead, { runs, ...soak }) => syscalls(stead, { most: runs, ...soak }),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string' },
    shell: { type: 'string' },
    'no-cgroup': { type: 'boolean' },
  },
});
const scenario = scenarios[positionals[0] ?? ''];
if (scenario === undefined) {
  console.error(`which? ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const cleanups: (() => void | Promise<void>)[] = [];
const env = {
  ...(values.shell && { STEAD_SHELL: values.shell }),
  ...(values['no-cgroup'] && { STEAD_NO_CGROUP: '1' }),
};
const stead = new Stead({ after: (fn) => cleanups.push(fn) }, { env });
const began = Date.now();
console.log(`${positionals[0]}: ${values.runs} runs, seed ${seed}, home ${stead.home}`);
try {
  await scenario(stead, { runs: Number(values.runs), seed, say: (text) => console.log(`  ${text}`) });
  console.log(`passed in ${Math.round((Date.now() - began) / 1000)} s`);
} catch (error) {
  console.error(`FAILED after ${Math.round((Date.now() - began) / 1000)} s, seed ${seed}: ${(error as Error).stack}`);
  process.exitCode = 1;
} finally {
  for (const cleanup of cleanups) await cleanup();
}

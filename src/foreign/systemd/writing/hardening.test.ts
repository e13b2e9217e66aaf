/** What units keep programs from, by systemd's own judgement; and that older versions find no key in them that they don't know. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { optionSamples } from '../../../../test/support/option-samples.ts';
import { commandOf, outgoingOf, specOf } from '../../../../test/support/specs.ts';
import { type Cleanup, temporaryDirectory } from '../../../../test/support/temporary.ts';
import { encodeBytes } from '../../../host/bytes.ts';
import type { SpecOptions } from '../../../protocol/spec.ts';
import { writeSystemd } from './write.ts';

const here = { scope: 'system', owner: 'web', version: 252, hardening: 'default' } as const;
type Context = Partial<Parameters<typeof writeSystemd>[1]>;

const unitsOf = (options: SpecOptions = {}, context: Context = {}, parts = {}) =>
  writeSystemd([outgoingOf(specOf('web', options, parts))], { ...here, ...context }, '').files;

/** As pm2's for root: nothing in it is of safety. */
const bareUnit = `[Unit]
After=network.target
[Service]
Type=forking
LimitNOFILE=infinity
LimitNPROC=infinity
LimitCORE=infinity
PIDFile=/run/daemon.pid
Restart=on-failure
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
`;

const analyze = '/usr/bin/systemd-analyze';
const noScores: string | false = (() => {
  if (!existsSync(analyze)) return 'no systemd-analyze';
  const { stdout } = spawnSync(analyze, ['--help'], { encoding: 'utf8' });
  return stdout.includes('--offline') ? false : 'systemd is older than 250: it judges no files';
})();

/** Exposure from 0 to 10, as `systemd-analyze security` counts it. */
function exposure(t: Cleanup, text: string): number {
  const path = join(temporaryDirectory(t), 'web.service');
  writeFileSync(path, encodeBytes(text));
  const { stdout, stderr } = spawnSync(analyze, ['security', '--offline=true', '--no-pager', path], {
    encoding: 'utf8',
  });
  const level = /Overall exposure level for \S+: (\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  assert.ok(level !== undefined, `${stdout}${stderr}`);
  return Number(level);
}

test('a Node app is exposed to 4.5 at most, strictly to 1.5; a daemon without any of it to 9.5', {
  skip: noScores,
}, (t) => {
  const scoreOf = (context: Context, parts = {}) => exposure(t, unitsOf({}, context, parts)[0]!.text);
  const scores = {
    default: scoreOf({}),
    strict: scoreOf({ hardening: 'strict' }),
    none: scoreOf({ hardening: 'none' }),
    inHome: scoreOf({}, { cwd: '/home/web/app' }),
    root: scoreOf({ owner: null }),
    strictInHome: scoreOf({ hardening: 'strict' }, { cwd: '/home/web/app' }),
    bare: exposure(t, bareUnit),
  };
  assert.ok(scores.default <= 4.5 && scores.inHome <= 4.5, JSON.stringify(scores));
  assert.ok(scores.strict <= 1.5 && scores.strictInHome <= 1.5, JSON.stringify(scores));
  assert.ok(scores.bare >= 9.5, JSON.stringify(scores));
});

/** All units of every option that there is. */
const samples = (context: Context) =>
  writeSystemd(
    optionSamples().map(({ key, kind, options }, at) => {
      const env = [...(options.env ?? []), 'A=1'];
      const program = kind === 'app' ? undefined : commandOf('true');
      return outgoingOf(specOf(`${key}-${at}`, { ...options, env }, { kind, ...(program && { program }) }));
    }),
    { ...here, ...context },
    '',
  ).files.filter(({ name }) => !name.endsWith('.cjs'));

test('systemd reads strict units of every option without a word', { skip: noScores }, (t) => {
  const directory = temporaryDirectory(t);
  const written = samples({ hardening: 'strict', version: 252 }).map(({ name, text }) => {
    // Node need not be at /usr/bin.
    writeFileSync(join(directory, name), encodeBytes(text.replaceAll('/usr/bin/node', process.execPath)));
    return join(directory, name);
  });
  const { stdout, stderr } = spawnSync(analyze, ['verify', '--man=no', ...written], { encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`, '');
});

/** Of those that are written, what `src/core/load-fragment-gperf.gperf.m4` of systemd 239 lists. */
const knownTo239 = new Set(
  `Description After Requires Wants PartOf StartLimitIntervalSec StartLimitBurst WantedBy Type NotifyAccess ExecStart ExecStartPost ExecStop TimeoutStartSec
  TimeoutStopSec RuntimeMaxSec WatchdogSec WorkingDirectory User SupplementaryGroups Environment EnvironmentFile Sockets NonBlocking KillMode KillSignal
  Restart RestartSec SuccessExitStatus RestartPreventExitStatus MemoryMax CPUWeight CPUQuota TasksMax LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE
  LimitRSS LimitNOFILE LimitAS LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO LimitRTTIME Nice IOSchedulingClass
  IOSchedulingPriority OOMScoreAdjust UMask NoNewPrivileges StandardOutput StandardError SyslogIdentifier ListenStream ListenDatagram FileDescriptorName
  Service Backlog SocketMode SocketUser OnCalendar AccuracySec Persistent PathModified Unit CapabilityBoundingSet AmbientCapabilities ProtectKernelTunables
  ProtectKernelModules ProtectControlGroups PrivateDevices ProtectSystem ReadWritePaths ProtectHome BindPaths BindReadOnlyPaths PrivateTmp
  RestrictNamespaces RestrictRealtime LockPersonality SystemCallArchitectures RestrictAddressFamilies SystemCallFilter SystemCallErrorNumber PrivateUsers
  RemoveIPC KeyringMode`.split(/\s+/),
);

const settingsOf = (context: Context): string[] =>
  samples(context).flatMap(({ text }) => text.split('\n').filter((line) => /^[A-Z]\w*=/.test(line)));

test('units for systemd 239 hold no key and no value that it does not know', () => {
  for (const scope of ['system', 'user'] as const)
    for (const hardening of ['default', 'strict', 'none'] as const) {
      const lines = settingsOf({ version: 239, hardening, scope });
      const unknown = lines.filter((line) => !knownTo239.has(line.split('=')[0]!));
      assert.deepEqual([...new Set(unknown)], []);
      assert.doesNotMatch(lines.join('\n'), /^Type=exec|^Standard\w+=append|@system-service/m);
    }
  const oneshots = samples({ version: 239 }).filter(({ text }) => text.includes('Type=oneshot'));
  assert.ok(oneshots.length > 0);
  for (const { text } of oneshots) assert.doesNotMatch(text, /^Restart=/m);
});

test('each later version gets what it has brought', () => {
  const keysOf = (version: number) => {
    const all = { version, hardening: 'strict' } as const;
    return new Set(settingsOf(all).map((line) => line.split('=')[0]!));
  };
  const brought = (before: number, after: number) => {
    const known = keysOf(before);
    return [...keysOf(after)].filter((key) => !known.has(key)).sort();
  };
  assert.deepEqual(brought(239, 245), ['ProtectClock', 'ProtectHostname', 'ProtectKernelLogs', 'RestrictSUIDSGID']);
  assert.deepEqual(brought(245, 252), ['LoadCredential', 'PrivateIPC', 'ProcSubset', 'ProtectProc']);
  assert.deepEqual(brought(252, 255), ['RestartMaxDelaySec', 'RestartSteps']);
});

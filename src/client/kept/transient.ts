/** `run --systemd`: a command as a transient unit, systemd-run(1). It is known to stead as what systemd keeps, and its output goes to the files that a job's would. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { argvOf } from '../../foreign/outgoing.ts';
import { isOfSession } from '../../foreign/systemd/writing/env-file.ts';
import { isAssignable } from '../../foreign/systemd/writing/escape.ts';
import { limitLines } from '../../foreign/systemd/writing/limits.ts';
import type { Keeper, RunRequest, RunResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { AppSpec } from '../../protocol/spec.ts';
import { isBooted, managerVersion, type Scope } from '../../systemd/manager.ts';
import { act } from '../act.ts';
import { whoAsks } from '../caller.ts';
import { executableOf } from '../executable-of.ts';
import { specsFromDisk } from '../offline.ts';

/** Throws UNSUPPORTED without a systemd, LAUNCH_FAILED with what it said. */
export async function runTransient(home: string, request: RunRequest): Promise<RunResponse> {
  const scope: Scope = process.geteuid!() === 0 ? 'system' : 'user';
  if (!isBooted())
    throw new SteadError('UNSUPPORTED', 'This machine does not run systemd.', { hint: 'stead run, without --systemd' });
  managerVersion(scope);
  const answer = await act(home, 'run', { body: { ...request, isHeld: true } });
  const { name } = answer.app;
  const { spec } = (await specsFromDisk(home)).find((one) => one.name === name)!;
  const unit = `run-stead-${name.replace('/', '-')}.service`;
  const keeper: Keeper = {
    by: 'systemd',
    scope,
    main: unit,
    services: [unit],
    sockets: [],
    triggers: [],
    files: [],
    keys: [],
    isWanted: true,
  };
  try {
    await act(home, 'handoff', { body: { app: name, step: 'give', caller: whoAsks(), keeper } });
    await start(spec, { unit, scope, logs: answer.logs });
  } catch (error) {
    await act(home, 'delete', { body: { select: [name], caller: whoAsks(), wait: true, purge: true } });
    throw error;
  }
  return answer;
}

interface Place {
  readonly unit: string;
  readonly scope: Scope;
  readonly logs: RunResponse['logs'];
}

async function start(spec: AppSpec, { unit, scope, logs }: Place): Promise<void> {
  const [first = '', ...others] = argvOf(spec);
  const program = (await executableOf(spec, first)) ?? first;
  for (const path of [logs.out, logs.err]) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const env = spec.env.filter((entry) => isOurs(spec, entry));
  const properties = [
    `WorkingDirectory=${spec.cwd}`,
    ...(spec.user === null || scope === 'user' ? [] : [`User=${spec.user.name}`]),
    ...limitLines(spec),
    `StandardOutput=append:${logs.out}`,
    `StandardError=append:${logs.err}`,
    ...(spec.timeoutMs === null ? [] : [`RuntimeMaxSec=${spec.timeoutMs}ms`]),
  ];
  const words = [
    `--${scope}`,
    '--quiet',
    '--no-ask-password',
    // Its end stays known until it is stopped or run again.
    '--remain-after-exit',
    `--unit=${unit}`,
    `--description=Job "${spec.name}" of stead`,
    ...properties.flatMap((line) => ['--property', line]),
    ...env.map((entry) => `--setenv=${entry}`),
    '--',
    // systemd looks for variables in them.
    ...[program, ...others].map((word) => word.replaceAll('$', () => '$$')),
  ];
  const { status, stderr, error } = spawnSync('systemd-run', words, { encoding: 'utf8' });
  if (status === 0) return;
  const said = (stderr ?? error?.message ?? '').trim();
  throw new SteadError('LAUNCH_FAILED', `systemd does not run "${spec.name}": ${said}`, {
    hint: 'stead run, without --systemd',
  });
}

function isOurs({ options }: AppSpec, entry: string): boolean {
  const at = entry.indexOf('=');
  const [name, value] = [entry.slice(0, at), entry.slice(at + 1)];
  return isAssignable(name, value) && (!isOfSession(name) || options.env?.includes(entry) === true);
}

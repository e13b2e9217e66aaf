/** Sessions of a stead, made by its daemon without a command of their own, and looked at from where their programs are. */
import { closeSync, constants, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '../../src/client/http.ts';
import { getSize } from '../../src/host/pty.ts';
import type { SpecOptions } from '../../src/protocol/spec.ts';
import type { Hello } from '../../src/terminal/frames-messages.ts';
import { isRunning } from './proc.ts';
import type { Stead } from './stead.ts';
import { TerminalClient } from './terminal-client.ts';
import { waitFor } from './wait.ts';

/** Many may be asked for at once. */
const timeoutMs = 60_000;
const caller = { umask: 0o22, limits: {}, nice: 0, oomScoreAdj: 0, pid: process.pid, command: 'test' };

export interface ScriptSession {
  readonly name: string;
  /** For bash. */
  readonly script: string;
  readonly options?: SpecOptions;
}

/** A job on a terminal. Needs a daemon that runs. */
export async function openScript(stead: Stead, { name, script, options = {} }: ScriptSession): Promise<void> {
  const env = Object.entries(stead.env).map(([key, value]) => `${key}=${value}`);
  const body = {
    command: ['/bin/bash', '-c', script],
    options: { tty: true, ...options, name },
    caller: { ...caller, env, cwd: stead.directory },
  };
  await request(stead.home, 'run', { timeoutMs, body });
}

export const clientSocketOf = (stead: Stead): string => join(stead.home, 'terminals', 'host.sock');

/** A client that the test drives frame by frame. */
export async function clientOf(stead: Stead, name: string, hello: Partial<Hello> = {}): Promise<TerminalClient> {
  await request(stead.home, 'attach', { timeoutMs, body: { select: [name] } });
  return TerminalClient.attach(clientSocketOf(stead), `${name}:0`, hello);
}

/** What `stty size` gives in the session. */
export async function sizeIn(stead: Stead, name: string): Promise<string> {
  const path = readlinkSync(`/proc/${await stead.pid(name)}/fd/0`);
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  try {
    const { cols, rows } = getSize(fd);
    return `${cols}x${rows}`;
  } finally {
    closeSync(fd);
  }
}

export async function becomesSize(stead: Stead, name: string, size: string): Promise<void> {
  let last = '';
  await waitFor(`${name} to be ${size}`, async () => {
    last = await sizeIn(stead, name);
    return last === size;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}

/** Its whole log, byte for byte. */
export const logOf = async (stead: Stead, name: string): Promise<string> =>
  readFileSync((await stead.show(name)).logs.out, 'latin1');

export function logs(stead: Stead, name: string, pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
  return waitFor(
    `the log of ${name} to match ${pattern}`,
    async () => pattern.exec(await logOf(stead, name)),
    timeoutMs === undefined ? {} : { timeoutMs },
  );
}

/** The process that serves the home's terminals. */
export function hostPid(stead: Stead): Promise<number> {
  return waitFor('the pty host', () => {
    const path = join(stead.home, 'terminals', 'host.json');
    if (!existsSync(path)) return null;
    const { pid } = JSON.parse(readFileSync(path, 'utf8')) as { pid: number };
    return isRunning(pid) ? pid : null;
  });
}

/** In KB. */
export const residentKb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

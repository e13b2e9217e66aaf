/** One look at a program from outside: does it accept a connection, answer, or satisfy a command? Bounded in time; never throws. */
import type { ChildProcess } from 'node:child_process';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Check } from '../protocol/spec.ts';
import type { App } from './app.ts';
import { spawnFor } from './spawn-for.ts';

/** Null: it is well. Else what was found instead. */
export type Finding = string | null;

/** Whether a connection of ours was accepted by who is looked at: on a shared socket a sibling may have been first. Null: nobody has accepted it yet. */
export type IsOurs = (connection: { readonly clientPort: number; readonly serverPort: number }) => boolean | null;

/** The finding where a sibling answered, which says nothing of who is looked at. */
export const siblingAnswered = 'another instance answered';

export function probe(app: App, check: Check, timeoutMs: number, isOurs: IsOurs = () => true): Promise<Finding> {
  const signal = AbortSignal.timeout(timeoutMs);
  switch (check.kind) {
    case 'port':
      return probePort(check, signal, isOurs);
    case 'http':
      return probeHttp(check.url, signal, isOurs);
    case 'exec':
      return probeCommand(app, check.command, timeoutMs);
  }
}

const late = 'no answer in time';
/** The kernel completes a connection before the program accepts it; nothing tells of that. */
const acceptLookMs = 5;

const portsOf = ({ localPort = 0, remotePort = 0 }: Socket) => ({ clientPort: localPort, serverPort: remotePort });

function probePort(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  isOurs: IsOurs,
): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: true });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('connect', () => {
      const look = () => {
        const accepted = isOurs(portsOf(socket));
        if (accepted !== null) end(accepted ? null : siblingAnswered);
        else if (signal.aborted) end(`port ${port}: ${late}`);
        else setTimeout(look, acceptLookMs);
      };
      look();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end(`port ${port}: ${error.code ?? error.message}`));
    signal.addEventListener('abort', () => end(`port ${port}: ${late}`), { once: true });
  });
}

function probeHttp(url: string, signal: AbortSignal, isOurs: IsOurs): Promise<Finding> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? getHttps : getHttp;
    // A health check asks whether it answers, not who signed for it.
    const request = get(
      url,
      { signal, agent: false, rejectUnauthorized: false, headers: { 'user-agent': 'stead' } },
      (response) => {
        const { statusCode = 0 } = response;
        const accepted = isOurs(portsOf(response.socket));
        response.destroy();
        if (accepted === false) {
          resolve(siblingAnswered);
          return;
        }
        resolve(statusCode >= 200 && statusCode < 400 ? null : `${url}: status ${statusCode}`);
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(`${url}: ${signal.aborted ? late : (error.code ?? error.message)}`),
    );
  });
}

async function probeCommand(app: App, command: string, timeoutMs: number): Promise<Finding> {
  const code = await runCommand(app, command, { timeoutMs });
  return code === 0 ? null : `${command}: ${typeof code === 'number' ? `exit code ${code}` : code}`;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** `sh -c` in the app's directory, environment and user, ended with all it started when its time is over. The exit code, or what happened instead. */
export function runCommand(
  app: App,
  command: string,
  { timeoutMs, env = {} }: CommandOptions,
): Promise<number | string> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawnFor(app, ['/bin/sh', '-c', command], env);
    } catch (error) {
      resolve((error as Error).message);
      return;
    }
    const endGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Gone.
      }
    };
    const timer = setTimeout(() => {
      endGroup();
      resolve(late);
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      // What it left in its group.
      endGroup();
      resolve(code ?? `killed by ${signal}`);
    });
  });
}

/** The pm2 that runs: asked and told by its own command, and never by its files. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStat } from '../../host/process.ts';
import { SteadError } from '../../protocol/errors.ts';

/** It may have to end programs that take their time. */
const patienceMs = 120_000;
const mostBytes = 64 * 1024 * 1024;

/** A process as `jlist` has it. */
export interface Pm2Process {
  readonly pm_id: number;
  readonly pid: number;
  readonly name: string;
  readonly pm2_env: Readonly<Record<string, unknown>>;
}

export class Pm2Command {
  readonly #path: string;
  readonly #env: NodeJS.ProcessEnv;
  /** Its daemon. */
  readonly pid: number;

  private constructor(path: string, env: NodeJS.ProcessEnv, pid: number) {
    this.#path = path;
    this.#env = env;
    this.pid = pid;
  }

  /** Throws CONFIG_NOT_FOUND where no pm2 runs, PROGRAM_NOT_FOUND without its command. */
  static find({
    home,
    path,
    env,
  }: {
    readonly home: string;
    readonly path: string | null;
    readonly env: NodeJS.ProcessEnv;
  }): Pm2Command {
    const pid = daemonPid(home);
    if (pid === null)
      throw new SteadError('CONFIG_NOT_FOUND', `No pm2 runs in ${home}`, {
        hint: 'PM2_HOME says where; what it has saved: stead import pm2',
      });
    if (path === null)
      throw new SteadError(
        'PROGRAM_NOT_FOUND',
        'There is no pm2 in your PATH, and its command is needed to end its apps',
        {
          hint: 'PATH=…/node_modules/.bin:$PATH stead import pm2 --take-over',
        },
      );
    return new Pm2Command(path, { ...env, PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: '1' }, pid);
  }

  async list(): Promise<readonly Pm2Process[]> {
    const text = await this.#run(['jlist', '--silent']);
    // Other lines may come before it.
    const from = text.search(/^\[(\{|\])/m);
    return from < 0 ? [] : JSON.parse(text.slice(from).split('\n', 1)[0]!);
  }

  /** `stop`, `start`, `delete` of processes by their numbers. */
  async tell(verb: 'stop' | 'restart' | 'delete', ids: readonly number[]): Promise<void> {
    await this.#run([verb, ...ids.map(String), '--silent']);
  }

  #run(args: readonly string[]): Promise<string> {
    const options = { env: this.#env, timeout: patienceMs, maxBuffer: mostBytes };
    return new Promise((resolve, reject) => {
      execFile(this.#path, args, options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(
            new SteadError(
              'LAUNCH_FAILED',
              `pm2 ${args.join(' ')} failed: ${(stderr || stdout || error.message).trim().slice(0, 500)}`,
            ),
          );
      });
    });
  }
}

function daemonPid(home: string): number | null {
  try {
    const pid = Number(readFileSync(join(home, 'pm2.pid'), 'utf8').trim());
    return pid > 1 && processStat(pid) !== null ? pid : null;
  } catch {
    return null;
  }
}

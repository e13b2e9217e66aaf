/** `stead-pm2` in a home of its own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '../../src/client/http.ts';
import { repository } from './paths.ts';
import { execute, type Result, type RunOptions, Stead } from './stead.ts';
import type { Cleanup } from './temporary.ts';
import { waitFor } from './wait.ts';

const bin = join(repository, 'bin/stead-pm2.cjs');

/** What scripts read of an entry of `jlist`. */
export interface Entry {
  readonly name: string;
  readonly pm_id: number;
  readonly pid: number;
  readonly monit: { readonly cpu: number; readonly memory: number };
  readonly pm2_env: Readonly<Record<string, unknown>> & {
    readonly status: string;
    readonly restart_time: number;
    readonly env: Readonly<Record<string, string>>;
  };
}

export class Pm2 {
  readonly stead: Stead;

  constructor(cleanup: Cleanup) {
    this.stead = new Stead(cleanup);
  }

  /** Without the table behind each command, which costs time. */
  run(words: string | readonly string[], options: RunOptions = {}): Promise<Result> {
    const [verb, ...others] = typeof words === 'string' ? words.split(' ') : words;
    const { directory: cwd, env } = this.stead;
    return execute(process.execPath, [bin, verb!, '-s', ...others], {
      cwd,
      ...options,
      env: { ...env, ...options.env },
    });
  }

  async ok(words: string | readonly string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.run(words, options);
    if (result.code !== 0)
      throw new Error(`stead-pm2 ${String(words)} → ${result.code}\n${result.stdout}${result.stderr}`);
    return result;
  }

  /** The exit codes of several commands, at once. */
  async codes(...lines: readonly string[]): Promise<readonly (number | null)[]> {
    return (await Promise.all(lines.map((line) => this.run(line)))).map(({ code }) => code);
  }

  async entries(): Promise<readonly Entry[]> {
    return JSON.parse((await this.ok('jlist')).stdout);
  }

  /** `0 echo online 1`: number, name, status and restarts of each. */
  async table(): Promise<readonly string[]> {
    return (await this.entries()).map(
      ({ pm_id, name, pm2_env }) => `${pm_id} ${name} ${pm2_env.status} ${pm2_env.restart_time}`,
    );
  }

  /** Files in the directory of the test. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(this.path(name), text);
  }

  path(name: string): string {
    return join(this.stead.directory, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** A variable of a running app's first process. */
  async variable(app: string, name: string): Promise<string | undefined> {
    const pid = await this.stead.pid(app);
    const entries = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  /** Once an app has so many instances that are ready. */
  ready(name: string, count: number): Promise<unknown> {
    const isReady = async () => {
      const { instances } = await this.stead.show(name);
      return instances.length === count && instances.every(({ ready, role }) => ready && role === undefined);
    };
    return waitFor(`${count} of ${name} to be ready`, isReady);
  }

  /** Nothing is left, and numbers begin anew. */
  async clear(): Promise<void> {
    const caller = { pid: process.pid, command: 'test' };
    const body = { select: ['all'], caller, wait: true, purge: true };
    await request(this.stead.home, 'delete', { body, timeoutMs: 30_000 }).catch(() => {});
  }
}

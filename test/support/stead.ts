/** The built command, in a home of its own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '../../src/client/http.ts';
import { untilDaemonStopped } from '../../src/client/until-stopped.ts';
import { cgroupBase, removeCgroup } from '../../src/host/cgroup.ts';
import type { AppDetail, AppView, DaemonView } from '../../src/protocol/api.ts';
import { homeId } from '../../src/storage/home.ts';
import { steadBin } from './paths.ts';
import { type Cleanup, endMarked, makeDirectory, removeDirectory } from './temporary.ts';
import { waitFor } from './wait.ts';

export interface Result {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end. A command over its time is killed, and that is an error. */
export function execute(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { env, cwd, input = '', timeoutMs = 60_000 } = options;
  const settings: SpawnOptions = { stdio: 'pipe', ...(env && { env }), ...(cwd !== undefined && { cwd }) };
  const child = spawn(command, args, settings);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return collect(child, [command, ...args].join(' '), timeoutMs);
}

/** Waits for a child with piped output; its result once all is read. */
export function collect(child: ChildProcess, title: string, timeoutMs: number): Promise<Result> {
  const startedAt = performance.now();
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8');
    child[name]?.on('data', (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      reject(new Error(`${title} took over ${timeoutMs} ms; it said:\n${output.stdout}${output.stderr}`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output, tookMs: performance.now() - startedAt });
    });
  });
}

const quick = { timeoutMs: 2000 } as const;

/** Null where the answer is the command's: there is no daemon, or it refuses. */
const asked = <T>(answer: Promise<T>): Promise<T | null> => answer.catch(() => null);

/** A stead of its own: a home, a directory for the test's files, and the command. All of it ends with the test. */
export class Stead {
  /** For the test's files; the home lies in it. */
  readonly directory: string;
  readonly home: string;
  /** What the command gets: no more than PATH, HOME and the home. */
  readonly env: NodeJS.ProcessEnv;

  constructor(cleanup: Cleanup, { env = {} }: { readonly env?: NodeJS.ProcessEnv } = {}) {
    this.directory = makeDirectory('e2e');
    this.home = join(this.directory, 'home');
    const { PATH, STEAD_TEST_RUN } = process.env;
    this.env = { PATH, HOME: this.directory, STEAD_HOME: this.home, ...(STEAD_TEST_RUN && { STEAD_TEST_RUN }), ...env };
    cleanup.after(() => this.end());
  }

  /** The daemon first: alive, it would start again what is killed. */
  async end(): Promise<void> {
    await this.endPrograms();
    removeDirectory(this.directory);
  }

  async endPrograms(): Promise<void> {
    await this.#stopDaemon();
    const id = existsSync(this.home) ? homeId(this.home) : null;
    await endMarked([this.directory, ...(id === null ? [] : [`STEAD_RUN_ID=${id}`])]);
    const cgroups = id === null ? null : cgroupBase(id);
    if (cgroups !== null) removeCgroup(cgroups);
  }

  /** A directory in this test's own. */
  folder(name: string): string {
    const path = join(this.directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** `stead ARGS…`, whatever comes of it. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return execute(process.execPath, [steadBin, ...args], {
      cwd: this.directory,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** `stead ARGS…` that must exit 0. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.run(args, options);
    if (result.code !== 0)
      throw new Error(`stead ${args.join(' ')} → ${result.code}\n${result.stdout}${result.stderr}`);
    return result;
  }

  /** What `stead ARGS… --json` prints, whatever it exits with. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], options);
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`stead ${args.join(' ')} --json → ${code}, no JSON:\n${stdout}${stderr}`);
    }
  }

  // What a daemon says by itself is not asked for by a process of its own: starting Node is most of what tests cost.

  async list(): Promise<readonly AppView[]> {
    return (await asked(request(this.home, 'list', quick))) ?? (await this.json(['list', '-a']));
  }

  async show(name: string): Promise<AppDetail> {
    const params = { sel: name };
    return (await asked(request(this.home, 'show', { ...quick, params }))) ?? (await this.json(['show', name]));
  }

  async daemon(): Promise<DaemonView> {
    return (await asked(request(this.home, 'daemonStatus', quick))) ?? (await this.json(['daemon', 'status']));
  }

  async #stopDaemon(): Promise<void> {
    const view = await asked(request(this.home, 'daemonStatus', quick));
    const isAsked = view !== null && (await asked(request(this.home, 'daemonStop', { ...quick, body: {} }))) !== null;
    if (isAsked && typeof view.pid === 'number') await untilDaemonStopped(this.home, view.pid).catch(() => {});
    else if (existsSync(this.home)) await this.run(['daemon', 'stop']).catch(() => {});
  }

  /** The app once it satisfies `test`. */
  until(name: string, what: string, test: (app: AppDetail) => boolean, timeoutMs?: number): Promise<AppDetail> {
    const probe = async () => {
      const app = await this.show(name);
      return test(app) ? app : null;
    };
    return waitFor(`${name}: ${what}`, probe, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** The pid of a running app's main program. */
  async pid(name: string): Promise<number> {
    const app = await this.until(name, 'running', ({ instances }) => (instances[0]?.pid ?? null) !== null);
    return app.instances[0]!.pid!;
  }
}

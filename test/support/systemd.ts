/** A machine with a real systemd for tests: test/systemd/testbed.sh says what there is in it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '../../src/client/http.ts';
import type { Answers } from '../../src/protocol/answers.ts';
import type { DaemonView } from '../../src/protocol/api.ts';
import { repository, steadBin } from './paths.ts';
import { execute, type Result, type RunOptions } from './stead.ts';
import { type Cleanup, makeDirectory, removeDirectory } from './temporary.ts';
import { waitFor } from './wait.ts';

/** Why there is no such machine here; false where there is. */
export const noMachine: string | false = (() => {
  if (process.getuid?.() !== 0) return 'not root';
  for (const file of ['/lib/systemd/systemd', '/usr/bin/dbus-daemon', '/usr/bin/nsenter'])
    if (!existsSync(file)) return `no ${file} (Debian: systemd, dbus, util-linux)`;
  const tree = readFileSync('/proc/mounts', 'utf8').match(/^\S+ (\S+) cgroup2 /m)?.[1];
  if (tree === undefined) return 'no cgroup v2';
  try {
    accessSync(tree, constants.W_OK);
  } catch {
    return 'cgroup v2 is read-only here';
  }
  return spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0 ? false : 'no namespaces to be had';
})();

/** The ordinary user in it. */
export const dev = { name: 'dev', uid: 4242, home: '/home/dev' } as const;

export type Who = 'root' | 'dev';

const begins: Readonly<Record<Who, NodeJS.ProcessEnv>> = {
  root: { HOME: '/root', USER: 'root' },
  dev: {
    HOME: dev.home,
    USER: dev.name,
    XDG_RUNTIME_DIR: `/run/user/${dev.uid}`,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=/run/user/${dev.uid}/bus`,
  },
};

/** Where a login's processes are. */
const sessions: Readonly<Record<Who, string>> = {
  root: 'user.slice/user-0.slice/session-1.scope',
  dev: `user.slice/user-${dev.uid}.slice/session-2.scope`,
};

export class Machine {
  readonly #state: string;
  #child: ChildProcess | null = null;
  #pid = 0;

  private constructor(state: string) {
    this.#state = state;
  }

  static async boot(cleanup: Cleanup): Promise<Machine> {
    const machine = new Machine(makeDirectory('machine'));
    cleanup.after(async () => {
      await machine.powerOff();
      removeDirectory(machine.#state);
    });
    await machine.boot();
    return machine;
  }

  /** A boot with what is on disk: home directories, units, /var. */
  async boot(): Promise<void> {
    const script = join(repository, 'test/systemd/testbed.sh');
    const child = spawn('bash', [script, this.#state, repository, process.execPath, dev.name], { stdio: 'pipe' });
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    this.#pid = await waitFor('systemd to boot', () => {
      if (child.exitCode !== null) throw new Error(`the testbed ended with ${child.exitCode}: ${output}`);
      return Number(/^ready (\d+)$/m.exec(output)?.[1] ?? 0) || null;
    });
  }

  /** Pulls the plug. */
  async powerOff(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin?.end();
    await ended;
  }

  /** A file of it, as it is called out here. */
  path(inside: string): string {
    return join(`/proc/${this.#pid}/root`, inside);
  }

  write(inside: string, text: string): void {
    mkdirSync(join(this.path(inside), '..'), { recursive: true });
    writeFileSync(this.path(inside), text);
  }

  /** Runs a command in a login session of a user, whatever comes of it. */
  run(
    words: readonly string[],
    { who = 'root', env = {}, ...options }: RunOptions & { readonly who?: Who } = {},
  ): Promise<Result> {
    const { uid } = who === 'dev' ? dev : { uid: 0 };
    const session = `/sys/fs/cgroup/${sessions[who]}`;
    const script = `mkdir -p ${session} && echo $$ >${session}/cgroup.procs && cd "$HOME" && exec "$@"`;
    const become = uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
    const { STEAD_TEST_RUN } = process.env;
    const all = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      ...(STEAD_TEST_RUN && { STEAD_TEST_RUN }),
      ...begins[who],
      ...env,
    };
    return execute(
      'nsenter',
      ['-t', String(this.#pid), '-m', '-p', '-C', '-u', '-i', 'sh', '-c', script, 'sh', ...become, ...words],
      {
        ...options,
        env: all,
      },
    );
  }

  /** What a command that must succeed prints. */
  async ok(words: readonly string[], options: RunOptions & { readonly who?: Who } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(words, options);
    if (code !== 0) throw new Error(`${words.join(' ')} → ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  sh(script: string, options: RunOptions & { readonly who?: Who } = {}): Promise<string> {
    return this.ok(['sh', '-c', script], options);
  }

  stead(words: readonly string[], options: RunOptions & { readonly who?: Who } = {}): Promise<string> {
    return this.ok([process.execPath, steadBin, ...words], options);
  }

  tryStead(words: readonly string[], options: RunOptions & { readonly who?: Who } = {}): Promise<Result> {
    return this.run([process.execPath, steadBin, ...words], options);
  }

  /** Pids in there, by app. */
  async pids(who: Who = 'root'): Promise<Record<string, readonly (number | null)[]>> {
    const apps = await this.#ask(who, 'list', () => this.stead(['list', '--json'], { who }));
    return Object.fromEntries(apps.map(({ name, instances }) => [name, instances.map(({ pid }) => pid)]));
  }

  async daemon(who: Who = 'root'): Promise<DaemonView> {
    return this.#ask(who, 'daemonStatus', () => this.stead(['daemon', 'status', '--json'], { who }));
  }

  /** By its socket, as starting Node is most of what a test costs; by the command where no daemon answers. */
  async #ask<R extends 'list' | 'daemonStatus'>(
    who: Who,
    route: R,
    otherwise: () => Promise<string>,
  ): Promise<Answers[R]> {
    const home = this.path(join(begins[who].HOME!, '.stead'));
    return request(home, route, { timeoutMs: 2000 }).catch(async () => JSON.parse(await otherwise()) as Answers[R]);
  }

  /** One property of a unit. */
  async property(unit: string, name: string, { who = 'root' }: { readonly who?: Who } = {}): Promise<string> {
    const manager = who === 'dev' ? ['--user'] : [];
    return (await this.ok(['systemctl', ...manager, 'show', '--value', `--property=${name}`, unit], { who })).trim();
  }

  /** Pids of all that is in a unit's cgroup and below. */
  async inUnit(unit: string, options: { readonly who?: Who } = {}): Promise<number[]> {
    const group = await this.property(unit, 'ControlGroup', options);
    if (group === '') return [];
    const text = await this.sh(`find /sys/fs/cgroup${group} -name cgroup.procs -exec cat {} + 2>/dev/null || true`);
    return text.split('\n').filter(Boolean).map(Number);
  }
}

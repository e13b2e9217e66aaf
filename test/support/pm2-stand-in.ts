/** Something that looks like a pm2 with programs, for what takes them over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.ts';
import type { Stead } from './stead.ts';

export class Pm2StandIn {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #stead: Stead;
  readonly #children: ChildProcess[] = [];

  constructor(stead: Stead, cleanup: { after(end: () => unknown): void }) {
    this.#stead = stead;
    this.home = stead.folder('.pm2');
    const bin = stead.folder('bin');
    writeFileSync(join(bin, 'pm2'), `#!/bin/sh\nexec ${process.execPath} ${program('pm2.cjs')} "$@"\n`);
    chmodSync(join(bin, 'pm2'), 0o755);
    writeFileSync(join(this.home, 'pm2.pid'), String(process.pid));
    this.env = { PM2_HOME: this.home, PATH: `${bin}:${stead.env.PATH}` };
    cleanup.after(() => {
      for (const child of this.#children) child.kill('SIGKILL');
      for (const { pid } of this.processes()) if (pid > 1) kill(pid);
    });
  }

  /** Runs a script as pm2 does in fork mode. */
  run(
    name: string,
    script: string,
    { interpreter = 'node', env = {} }: { readonly interpreter?: string; readonly env?: Record<string, string> } = {},
  ): number {
    const cwd = this.#stead.directory;
    const child = spawn(interpreter === 'node' ? process.execPath : interpreter, [script], {
      cwd,
      env: { ...this.#stead.env, ...env },
      stdio: 'ignore',
    });
    this.#children.push(child);
    const own = {
      status: 'online',
      pm_exec_path: join(cwd, script),
      pm_cwd: cwd,
      exec_mode: 'fork_mode',
      exec_interpreter: interpreter,
      merge_logs: true,
      env,
    };
    const all = this.processes();
    writeFileSync(
      join(this.home, 'processes.json'),
      JSON.stringify([...all, { pm_id: all.length, pid: child.pid, name, pm2_env: { name, ...own } }]),
    );
    return child.pid!;
  }

  processes(): readonly { readonly pm_id: number; readonly pid: number; readonly name: string }[] {
    const path = join(this.home, 'processes.json');
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
  }

  /** What was asked for, but for lists. */
  calls(): readonly string[] {
    const path = join(this.home, 'calls.txt');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

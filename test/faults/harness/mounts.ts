/** A mount namespace: file systems that are full or read-only for a daemon in it, and for nobody else. */
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { steadBin } from '../../support/paths.ts';
import { execute, type Result, type Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';

/** Why there can be none here, or false: what `skip` takes. */
export function noMounts(): string | false {
  const { status } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0 ? false : 'mounting needs root and unshare';
}

/** A namespace that ends with the stead. */
export class MountSpace {
  readonly #stead: Stead;
  readonly #pid: number;

  private constructor(stead: Stead, pid: number) {
    this.#stead = stead;
    this.#pid = pid;
  }

  static async make(stead: Stead): Promise<MountSpace> {
    const { pid } = spawn('unshare', ['-m', 'sleep', '1000'], { env: stead.env, stdio: 'ignore' });
    const own = readlinkSync('/proc/self/ns/mnt');
    await waitFor('a mount namespace', () => readlinkSync(`/proc/${pid}/ns/mnt`) !== own);
    return new MountSpace(stead, pid!);
  }

  run(command: string, ...args: readonly string[]): Promise<Result> {
    const { env } = this.#stead;
    return execute('nsenter', ['-t', String(this.#pid), '-m', '--', command, ...args], { env });
  }

  /** A shell command that must exit 0. */
  async shell(text: string): Promise<void> {
    const { code, stderr } = await this.run('/bin/sh', '-c', text, this.#stead.home);
    if (code !== 0) throw new Error(`${text} → ${code}: ${stderr}`);
  }

  stead(...args: readonly string[]): Promise<Result> {
    return this.run(process.execPath, steadBin, ...args);
  }
}

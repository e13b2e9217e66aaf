/** Launchers for tests: in each shell that is there, each with a run directory of its own. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { type LaunchOrder, spawnLauncher } from '../../src/launcher/launch.ts';
import { describeStatus, type ExitFacts, type RunRecord, readNote, readRun } from '../../src/launcher/records.ts';
import { repository } from './paths.ts';
import { temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait.ts';

export const launcherScript: string = join(repository, 'src/launcher/launcher.sh');

/** As `/bin/sh` leads to them on Debian, Alpine and Red Hat; bash under that name is `bash --posix`. */
const shells = { dash: ['dash'], 'busybox ash': ['busybox'], 'bash --posix': ['bash'] } as const;
type ShellTitle = keyof typeof shells;

/** Runs a test in each shell; one for a shell that is not installed is skipped. */
export function inEachShell(title: string, body: (t: TestContext, shell: string) => Promise<void>): void {
  for (const shell of Object.keys(shells) as ShellTitle[]) {
    const path = shellPath(shell);
    const skip = path === null ? `no ${shells[shell][0]} is installed` : false;
    test(`${title} (${shell})`, { skip }, (t) => body(t, path!));
  }
}

const links = new Map<string, string>();

/** A link named `sh` to the shell: it goes by its name. Null if it isn't installed. */
export function shellPath(shell: ShellTitle): string | null {
  const known = links.get(shell);
  if (known !== undefined) return known;
  const target = ['/bin', '/usr/bin'].map((folder) => join(folder, shells[shell][0])).find((path) => existsSync(path));
  if (target === undefined) return null;
  const folder = mkdtempSync(join(tmpdir(), 'stead-shell-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const link = join(folder, 'sh');
  symlinkSync(target, link);
  links.set(shell, link);
  return link;
}

export type LaunchOptions = Partial<LaunchOrder> & { readonly argv: readonly string[] };

/** One run: its launcher, its records, what it wrote. */
export class Launched {
  readonly directory: string;
  readonly child: ChildProcess;
  readonly output: string;
  readonly errors: string;
  /** The launcher's own end: its exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(base: string, shell: string, options: LaunchOptions) {
    this.directory = options.runDirectory ?? mkdtempSync(join(base, 'run-'));
    mkdirSync(this.directory, { recursive: true });
    this.output = join(base, `${this.directory.split('/').at(-1)}.out`);
    this.errors = join(base, `${this.directory.split('/').at(-1)}.err`);
    const [out, err] = [openSync(this.output, 'a'), openSync(this.errors, 'a')];
    this.child = spawnLauncher({ ...defaults, shell, out, err, cwd: base, ...options, runDirectory: this.directory });
    closeSync(out);
    closeSync(err);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('exit', (code, signal) => resolve(code ?? signal!));
      this.child.once('error', reject);
    });
  }

  record(): RunRecord {
    return readRun(this.directory);
  }

  /** The program's pid once it has become the program: `comm` is no shell's and no helper's any more. */
  async program(comm?: string): Promise<number> {
    const { pid } = await waitFor('a run record', () => this.record().program);
    const helpers = /^(sh|dash|bash|busybox|setsid|env|setpriv)$/;
    await waitFor('the program', () => {
      const now = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      return comm === undefined ? !helpers.test(now) : now === comm;
    });
    return pid;
  }

  /** How it ended, as its records tell once the launcher has. */
  async exit(): Promise<ExitFacts> {
    await this.ended;
    const { exit } = this.record();
    if (exit === null) throw new Error(`no exit record; note: ${readNote(this.directory)}`);
    return describeStatus(exit.status, readNote(this.directory));
  }

  /** What the program wrote to its stdout, byte for byte in latin1, once all has ended. */
  async wrote(): Promise<string> {
    await this.ended;
    return readFileSync(this.output, 'latin1');
  }
}

const defaults = {
  script: launcherScript,
  env: ['PATH=/usr/bin:/bin'],
  umask: 0o022,
  nofile: null,
  oomScoreAdj: null,
  via: [],
};

/** A function that launches in this shell, in a directory that ends with the test. */
export function launcherIn(t: TestContext, shell: string): ((options: LaunchOptions) => Launched) & { base: string } {
  const base = temporaryDirectory(t, 'launcher');
  return Object.assign((options: LaunchOptions) => new Launched(base, shell, options), { base });
}

/** A pty host of a test's own, with the test in the place of daemon and launcher. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { socketAddress } from '../../src/host/home.ts';
import { mkfifo, nativeFile, nativePackage } from '../../src/host/native.ts';
import { openPty } from '../../src/host/pty.ts';
import type { SessionView, TakeOrder } from '../../src/terminal/control-messages.ts';
import type { SessionExit } from '../../src/terminal/frames-messages.ts';
import { HostLink } from '../../src/terminal/host-link.ts';
import {
  clientSocket,
  clientSocketName,
  controlSocket,
  hostNodeOptions,
  terminalsDirectory,
} from '../../src/terminal/places.ts';
import { repository } from './paths.ts';
import { isRunning } from './proc.ts';
import { type Cleanup, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait.ts';

/** What stands for the daemon's copy in a home: made once for a file's tests. */
function makeLibrary(directory: string): string {
  const library = join(directory, 'lib');
  mkdirSync(library);
  copyFileSync(join(repository, 'dist/pty-host.cjs'), join(library, 'pty-host.cjs'));
  writeFileSync(join(library, 'build.json'), '{}');
  const folder = join(createRequire(import.meta.url).resolve(`${nativePackage}/package.json`), '..');
  copyFileSync(join(folder, `linux_${process.arch}`, nativeFile), join(library, nativeFile));
  return library;
}

export class TestHost {
  readonly directory: string;
  readonly home: string;
  readonly views: SessionView[] = [];
  link!: HostLink;
  #process: ChildProcess | null = null;
  readonly #library: string;
  #said = '';
  readonly programs: TestProgram[] = [];

  constructor(cleanup: Cleanup, home = 'home') {
    this.directory = temporaryDirectory(cleanup, 'pty');
    this.home = join(this.directory, home);
    mkdirSync(this.home, { mode: 0o700 });
    this.#library = makeLibrary(this.directory);
    cleanup.after(() => this.#end());
  }

  static async start(cleanup: Cleanup, home?: string): Promise<TestHost> {
    const host = new TestHost(cleanup, home);
    await host.start();
    return host;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get socket(): string {
    return clientSocket(this.home);
  }

  /** The same for a path of any length. */
  address(): { readonly path: string; close(): void } {
    return socketAddress(terminalsDirectory(this.home), clientSocketName);
  }

  /** What it complained of. */
  get said(): string {
    return this.#said;
  }

  /** One more, also where another one is. Gives what it says of itself. */
  async spawn(): Promise<{ readonly child: ChildProcess; readonly word: string }> {
    const child = spawn(process.execPath, [...hostNodeOptions, join(this.#library, 'pty-host.cjs'), this.home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr!.on('data', (chunk) => {
      this.#said += chunk;
    });
    let word = '';
    child.stdout!.on('data', (chunk) => {
      word += chunk;
    });
    await once(child.stdout!, 'close');
    return { child, word: word.trim() };
  }

  async start(): Promise<void> {
    const { child, word } = await this.spawn();
    if (word !== 'ready') throw new Error(`the host says "${word}": ${this.#said}`);
    this.#process = child;
    await this.connect();
  }

  async connect(): Promise<void> {
    this.link = await HostLink.connect(controlSocket(this.home));
    this.link.onSession = (view) => this.views.push(view);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = once(this.#process!, 'exit');
    this.#process!.kill(signal);
    await ended;
    this.link.close();
  }

  /** A program on a terminal of its own, which the host has taken. */
  async run(command: readonly string[], options: Partial<TakeOrder> = {}): Promise<TestProgram> {
    const program = new TestProgram(this, command, { session: `app${this.programs.length}:0`, ...options });
    this.programs.push(program);
    await this.link.take(program.order, program.master);
    program.start();
    return program;
  }

  async #end(): Promise<void> {
    this.link?.close();
    for (const program of this.programs) program.close();
    if (this.#process && this.#process.exitCode === null && this.#process.signalCode === null) await this.kill();
  }
}

export class TestProgram {
  readonly order: TakeOrder;
  readonly master: number;
  readonly #slave: number;
  readonly #fifo: number;
  readonly #command: readonly string[];
  readonly #host: TestHost;
  #child: ChildProcess | null = null;
  #isOpen = true;

  constructor(host: TestHost, command: readonly string[], options: Partial<TakeOrder> & { readonly session: string }) {
    const size = { cols: options.cols ?? 80, rows: options.rows ?? 24 };
    const { master, slave } = openPty(size);
    this.#host = host;
    this.#command = command;
    this.master = master;
    this.#slave = slave;
    const runDirectory = join(host.directory, options.session, String(options.run ?? 1));
    mkdirSync(runDirectory, { recursive: true });
    mkfifo(join(runDirectory, 'output'), 0o600);
    // As the launcher does: what is in it when a host dies is still there for the next.
    this.#fifo = openSync(join(runDirectory, 'output'), constants.O_RDWR | constants.O_NONBLOCK);
    const log = join(host.directory, options.session, 'log');
    writeFileSync(log, '', { flag: 'a' });
    const logFrom = statSync(log).size;
    const kept = { resize: 'latest', scrollback: 1000, isNew: true } as const;
    this.order = { ...kept, run: 1, runDirectory, log, logFrom, ...size, ...options };
  }

  get session(): string {
    return this.order.session;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get log(): string {
    return readFileSync(this.order.log, 'latin1');
  }

  get isRunning(): boolean {
    return isRunning(this.pid);
  }

  start(): void {
    const [file, ...words] = this.#command;
    const slave = this.#slave;
    this.#child = spawn('setsid', ['-c', file!, ...words], {
      stdio: [slave, slave, slave],
      env: { ...process.env, TERM: 'xterm-256color', PS1: '$ ' },
    });
    closeSync(slave);
  }

  /** Waits until the program has ended, and tells the host. */
  async ended({ goesOn = false }: { readonly goesOn?: boolean } = {}): Promise<SessionExit> {
    const child = this.#child!;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const exit = { code: child.exitCode, signal: child.signalCode, reason: null };
    await this.#host.link.ended({ session: this.session, run: this.order.run, exit, goesOn });
    return exit;
  }

  /** Waits until the log matches. */
  async logs(pattern: RegExp): Promise<RegExpExecArray> {
    return waitFor(`the log of ${this.session} to match ${pattern}; it ends with ${this.log.slice(-300)}`, () =>
      pattern.exec(this.log),
    );
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.master);
    closeSync(this.#fifo);
    this.#child?.kill('SIGKILL');
  }
}

/** A daemon for the preload alone: `share-daemon.py`, which passes descriptors as no Node can. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Cleanup, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait.ts';

export const preload = resolve('src/sockets/share.cjs');

export type Event = { readonly event: string; readonly [name: string]: unknown };
export type Said = {
  readonly do: string;
  readonly key?: string;
  readonly address?: string;
  readonly isShared?: boolean;
};

export interface Program {
  readonly name: string;
  readonly pid: number;
  readonly directory: string;
  /** Its records. */
  said(): Said[];
  saysThat(what: string): Promise<Said>;
  out(): string;
  err(): string;
  /** The first line of its output that matches. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  ended(): Promise<number>;
  signal(name: NodeJS.Signals): void;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** Starts it with the sockets that are held; so unless said otherwise. */
  readonly shares?: boolean;
  readonly extension?: 'cjs' | 'mjs';
  readonly args?: readonly string[];
}

/** Holds sockets and starts programs; ends with the test, and they with it. */
export class ShareDaemon {
  readonly #child: ChildProcess;
  readonly events: Event[] = [];
  readonly home: string;
  #count = 0;

  private constructor(home: string) {
    this.home = home;
    this.#child = spawn('python3', [resolve('test/support/share-daemon.py'), home], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.events.push(JSON.parse(line)));
  }

  static async start(cleanup: Cleanup, { longPath = false } = {}): Promise<ShareDaemon> {
    const temporary = temporaryDirectory(cleanup, 'share');
    const home = longPath ? join(temporary, 'l'.repeat(120)) : temporary;
    mkdirSync(home, { recursive: true });
    const daemon = new ShareDaemon(home);
    cleanup.after(() => daemon.#end());
    await daemon.event('ready');
    return daemon;
  }

  /** The next event of that name (and of that look) that nobody has waited for yet. */
  event(name: string, matches: Readonly<Record<string, unknown>> = {}): Promise<Event> {
    return waitFor(`the daemon to say ${name} ${JSON.stringify(matches)}: ${JSON.stringify(this.events)}`, () => {
      const at = this.events.findIndex(
        (one) => one.event === name && Object.entries(matches).every(([key, value]) => one[key] === value),
      );
      return at < 0 ? null : this.events.splice(at, 1)[0];
    });
  }

  tell(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  async hold(key: string, { family = 'AF_INET', type = 'SOCK_STREAM', address }: HoldOptions): Promise<Event> {
    this.tell({ do: 'hold', key, family, type, address });
    return this.event('held', { key });
  }

  async mode(mode: { readonly answers?: boolean; readonly takes?: boolean }): Promise<void> {
    this.tell({ do: 'mode', mode });
    await this.event('mode');
  }

  /** Runs source text as a program whose sockets are shared. */
  async program(source: string, options: StartOptions = {}): Promise<Program> {
    const { extension = 'cjs', shares = true, env = {}, nodeArgs = [], args = [] } = options;
    const name = `p${++this.#count}`;
    const directory = join(this.home, name);
    mkdirSync(directory);
    const file = join(directory, `program.${extension}`);
    writeFileSync(file, source);
    this.tell({
      do: 'start',
      name,
      shares,
      argv: [process.execPath, ...nodeArgs, file, ...args],
      env: {
        PATH: process.env.PATH,
        STEAD_TEST_RUN: process.env.STEAD_TEST_RUN ?? '',
        NODE_OPTIONS: `--require="${preload}"`,
        ...env,
      },
    });
    const { pid } = await this.event('started', { name });
    return this.#programOf({ name, directory, pid: pid as number });
  }

  #programOf({
    name,
    directory,
    pid,
  }: {
    readonly name: string;
    readonly directory: string;
    readonly pid: number;
  }): Program {
    const read = (file: string) =>
      existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '';
    const said = () =>
      read('listening')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Said);
    const seen = { ended: null as Promise<Event> | null };
    return {
      name,
      directory,
      pid,
      said,
      out: () => read('out'),
      err: () => read('err'),
      saysThat: (what) =>
        waitFor(`${name} to say ${what}: ${read('err')}`, () => said().find((one) => one.do === what)).catch(
          (error) => {
            throw new Error(`${error.message}; it printed ${read('out')}${read('err')}`);
          },
        ),
      prints: (pattern) =>
        waitFor(`${name} to print ${pattern}`, () => pattern.exec(read('out'))).catch((error) => {
          throw new Error(`${error.message}; it printed ${read('out')}${read('err')}`);
        }),
      ended: async () => {
        seen.ended ??= this.event('ended', { name });
        return (await seen.ended).code as number;
      },
      signal: (signal) => process.kill(pid, signal),
    };
  }

  async #end(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((done) => this.#child.once('exit', done));
  }
}

interface HoldOptions {
  readonly family?: 'AF_INET' | 'AF_INET6' | 'AF_UNIX';
  readonly type?: 'SOCK_STREAM' | 'SOCK_DGRAM';
  readonly address: readonly (string | number)[];
}

/** Makes the drain signal mean: give all again. */
export function askToGive(program: Program): void {
  appendFileSync(join(program.directory, 'give'), '');
  program.signal('SIGURG');
}

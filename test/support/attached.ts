/** A client attached to a stand-in host, on a terminal of its own; the terminal's mode is compared before and after. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { AttachProgramOptions } from './attach-program.ts';
import { type FramesClient, FramesHost, type FramesHostOptions } from './frames-host.ts';
import { repository } from './paths.ts';
import { type Cleanup, temporaryDirectory } from './temporary.ts';
import { Terminal } from './terminal.ts';
import { waitForFile } from './wait.ts';

/** Bundles the program that `Attached` runs; beside the test's own bundle, so that packages are found. */
export async function buildAttachProgram(): Promise<string> {
  const outfile = join(import.meta.dirname, `attach-program.${process.pid}.mjs`);
  const entry = join(repository, 'test/support/attach-program.ts');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  return outfile;
}

export interface AttachedOptions extends Partial<AttachProgramOptions>, FramesHostOptions {
  /** After the host's end the client asks for another's socket, which `nextSocketFile` is to name. */
  readonly hasSuccessor?: boolean;
  /** Put before the client's own words. */
  readonly prefix?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Put after the client's words: redirections. */
  readonly suffix?: string;
}

export class Attached {
  readonly directory: string;
  readonly host: FramesHost;
  readonly terminal: Terminal;

  private constructor(directory: string, host: FramesHost, terminal: Terminal) {
    this.directory = directory;
    this.host = host;
    this.terminal = terminal;
  }

  static async start(cleanup: Cleanup, program: string, options: AttachedOptions = {}): Promise<Attached> {
    const { prefix = '', suffix = '', env = {}, hasSuccessor, onHello, onQuestion, ...own } = options;
    const directory = temporaryDirectory(cleanup, 'attach');
    const socket = join(directory, 'host.sock');
    const host = await FramesHost.listen(socket, { ...(onHello && { onHello }), ...(onQuestion && { onQuestion }) });
    cleanup.after(() => host.kill());
    const words = JSON.stringify({
      socket,
      pidFile: join(directory, 'pid'),
      ...(hasSuccessor && { nextSocketFile: join(directory, 'next') }),
      ...own,
    });
    const script = `before=$(stty -g); stty -g >'${directory}/mode'; tty >'${directory}/tty'
      ${prefix} '${process.execPath}' '${program}' '${words}' ${suffix}
      code=$?; echo $code >'${directory}/code'; after=$(stty -g)
      if [ "$before" = "$after" ]; then echo "mode same, code $code"; else echo "mode differs: $before $after"; fi`;
    const terminal = new Terminal('/bin/sh', ['sh', '-c', script], {
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', STEAD_TEST_RUN: process.env.STEAD_TEST_RUN, ...env },
      cwd: directory,
    });
    cleanup.after(() => terminal.close());
    return new Attached(directory, host, terminal);
  }

  get nextSocketFile(): string {
    return join(this.directory, 'next');
  }

  client(index = 0): Promise<FramesClient> {
    return this.host.client(index);
  }

  async pid(): Promise<number> {
    return Number(await waitForFile(join(this.directory, 'pid')));
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.pid(), signal);
  }

  /** As `stty -g` has it: before the client came, or now. */
  async modeBefore(): Promise<string> {
    return (await waitForFile(join(this.directory, 'mode'))).trim();
  }

  async stty(...words: readonly string[]): Promise<string> {
    const tty = (await waitForFile(join(this.directory, 'tty'))).trim();
    return execFileSync('stty', ['-F', tty, ...words], { encoding: 'utf8' }).trim();
  }

  /** Once the snapshot is drawn. */
  async isDrawn(): Promise<FramesClient> {
    const client = await this.client();
    await this.terminal.shows(/screen\$ /);
    return client;
  }

  /** Waits for the end; the mode is as before, and the client's exit code is this. */
  async endsWith(code: number, words: RegExp): Promise<void> {
    const shown = await this.terminal.shows(/mode (?:same, code (\d+)|differs.*)/).catch((error: Error) => {
      throw new Error(`${error.message}\ntyped was ${JSON.stringify(this.host.clients.map(({ input }) => input))}`);
    });
    if (Number(shown[1]) !== code || !words.test(this.terminal.shown))
      throw new Error(`${shown[0]}, not code ${code} and ${words}:\n${JSON.stringify(this.terminal.shown)}`);
  }
}

/** `stead ARGS…` on a terminal of its own, with an eye before it that says what terminals say by themselves. */
import type { TerminalSize } from '../../src/host/pty.ts';
import { Eye } from './eye.ts';
import { steadBin } from './paths.ts';
import type { Stead } from './stead.ts';
import { Terminal } from './terminal.ts';
import { waitFor } from './wait.ts';

const usualSize: TerminalSize = { cols: 80, rows: 24 };

export interface OnlookerOptions {
  readonly size?: TerminalSize;
  readonly env?: NodeJS.ProcessEnv;
}

export class Onlooker {
  readonly terminal: Terminal;
  readonly eye: Eye;

  constructor(stead: Stead, args: readonly string[], { size = usualSize, env = {} }: OnlookerOptions = {}) {
    this.eye = new Eye(size.cols, size.rows, (answer) => this.terminal.type(answer));
    this.terminal = new Terminal(process.execPath, [process.execPath, steadBin, ...args], {
      env: { TERM: 'xterm-256color', ...stead.env, ...env },
      cwd: stead.directory,
      size,
      onShown: (text) => this.eye.feed(text),
    });
  }

  type(text: string): void {
    this.terminal.type(text);
  }

  /** As a window does: what it shows is for the new size before the program knows of it. */
  async resize(size: TerminalSize): Promise<void> {
    this.eye.resize(size.cols, size.rows);
    await this.terminal.resize(size);
  }

  /** The screen's text once it matches. */
  sees(pattern: RegExp): Promise<string> {
    return waitFor(`an eye to see ${pattern}`, async () => {
      const text = (await this.eye.settled()).lines().join('\n');
      return pattern.test(text) ? { text } : null;
    }).then(
      ({ text }) => text,
      (error: Error) => {
        throw new Error(`${error.message}; it sees:\n${this.eye.lines().join('\n')}`);
      },
    );
  }

  /** Leaves with Ctrl-B d, and waits until the command has ended. */
  async leaves(): Promise<void> {
    this.type('\x02d');
    await this.terminal.ended();
  }
}

/** Waits until all of them look the same, cell for cell, and the first one's text matches. Gives the cells. */
export async function lookAlike(onlookers: readonly Onlooker[], pattern: RegExp): Promise<readonly string[]> {
  await onlookers[0]!.sees(pattern);
  let differing = '';
  const alike = await waitFor('all to see the same', async () => {
    const [first, ...others] = await Promise.all(onlookers.map(async ({ eye }) => (await eye.settled()).cells()));
    differing = others.map((cells) => differenceOf(first!, cells)).join('');
    return differing === '' && first;
  }).catch((error: Error) => {
    throw new Error(`${error.message}:\n${differing}`);
  });
  return alike;
}

function differenceOf(one: readonly string[], other: readonly string[]): string {
  const at = one.findIndex((line, index) => line !== other[index]);
  return at < 0 && one.length === other.length ? '' : `row ${at}:\n  ${one[at]}\n  ${other[at]}\n`;
}

/** The terminal of one run: its output on the way to the log, and what is typed on the way to the program. */
import { setSize } from '../../host/pty.ts';
import type { TakeOrder } from '../control-messages.ts';
import type { Size } from '../frames-messages.ts';
import { InputQueue } from './input-queue.ts';
import { OutputPump, type PumpOptions } from './output-pump.ts';
import { RunOutput } from './run-output.ts';

export class RunTerminal {
  readonly run: number;
  readonly output: RunOutput;
  readonly #pump: OutputPump | null = null;
  readonly #input: InputQueue | null = null;

  /** Throws the system's errors; `master`, null for a run that is over, is closed then. */
  constructor(order: TakeOrder, master: number | null, options: PumpOptions) {
    this.run = order.run;
    this.output = new RunOutput({ runDirectory: order.runDirectory, log: order.log, master });
    if (master === null) return;
    this.#pump = new OutputPump(this.output, options);
    this.#input = new InputQueue(master);
  }

  /** Output streams in. */
  get isStreaming(): boolean {
    return this.#pump?.isStreaming ?? false;
  }

  /** And more of it is there now, as far as is known. */
  get isPressing(): boolean {
    return this.#pump?.isStreaming === true && !this.#pump.isQuiet;
  }

  /** Bytes that the program has not taken yet. */
  get typed(): number {
    return this.#input?.bytes ?? 0;
  }

  type(bytes: Buffer): void {
    this.#input?.write(bytes);
  }

  /** The terminal may take more of what was typed. */
  flush(): void {
    this.#input?.flush();
  }

  /** It may be that more output may be moved. */
  resume(): void {
    this.#pump?.resume();
  }

  setSize(size: Size): void {
    try {
      if (this.output.master !== null) setSize(this.output.master, size);
    } catch {
      // It is hung up.
    }
  }

  async drain(): Promise<void> {
    await this.#pump?.drain();
  }

  /** No more output, no more input; what is in the log can still be read. */
  stop(): void {
    this.#pump?.close();
    this.#input?.close();
  }

  close(): void {
    this.stop();
    this.output.close();
  }
}

/** A terminal emulator that tests look through: what a person would see. */
import headless from '@xterm/headless';
import { coreOf } from '../../src/terminal/screen/internals.ts';
import { stateOf } from './terminal-state.ts';

const { Terminal: Emulator } = headless;

export class Eye {
  readonly #emulator: InstanceType<typeof Emulator>;
  #fed = Promise.resolve();
  title = '';
  bells = 0;

  /** `onAnswer`: what a terminal says when a program asks it. */
  constructor(cols = 80, rows = 24, onAnswer: (text: string) => void = () => {}) {
    this.#emulator = new Emulator({ cols, rows, scrollback: 5000, allowProposedApi: true });
    this.#emulator.onData(onAnswer);
    this.#emulator.onTitleChange((title) => {
      this.title = title;
    });
    this.#emulator.onBell(() => {
      this.bells += 1;
    });
  }

  feed(bytes: string | Uint8Array): void {
    this.#fed = new Promise((resolve) => this.#emulator.write(bytes, resolve));
  }

  resize(cols: number, rows: number): void {
    this.#emulator.resize(cols, rows);
  }

  /** Once all that was fed is on it. */
  async settled(): Promise<this> {
    await this.#fed;
    return this;
  }

  /** The screen's lines, without blanks at their ends. */
  lines(): string[] {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: this.#emulator.rows }, (_, row) => lineAt(active, active.baseY + row));
  }

  /** The lines above the screen and those on it. */
  all(): string[] {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: active.length }, (_, row) => lineAt(active, row));
  }

  /** Cells, modes, margins, tab stops, character sets, what is saved: all that it knows. */
  state(): Record<string, unknown> {
    return stateOf(coreOf(this.#emulator));
  }

  /** Each cell of the screen: character, width, colours, attributes; then the cursor. */
  cells(): string[] {
    const { active } = this.#emulator.buffer;
    const rows = Array.from({ length: this.#emulator.rows }, (_, row) => {
      const line = active.getLine(active.baseY + row);
      return Array.from({ length: this.#emulator.cols }, (_, col) => cellWords(line?.getCell(col))).join('|');
    });
    return [...rows, `cursor ${active.cursorY},${active.cursorX} ${active.type}`];
  }
}

type Buffers = InstanceType<typeof Emulator>['buffer']['active'];
type Cell = ReturnType<NonNullable<ReturnType<Buffers['getLine']>>['getCell']>;

const lineAt = (buffer: Buffers, row: number): string => buffer.getLine(row)?.translateToString(true) ?? '';

function cellWords(cell: Cell): string {
  if (cell === undefined) return '';
  const attributes = [cell.isBold(), cell.isItalic(), cell.isUnderline(), cell.isInverse(), cell.isDim()].map(Number);
  const colours = [cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(), cell.getBgColor()];
  return `${cell.getChars() || ' '}${cell.getWidth()}${attributes.join('')}${colours.join(',')}`;
}

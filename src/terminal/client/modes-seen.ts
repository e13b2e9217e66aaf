/**
 * What a session's output has done to the user's terminal, as far as leaving must know: some things may only be undone if they were done. Leaving the
 * alternate screen that nobody entered moves the cursor to an old place, and what an old terminal doesn't know it prints.
 */

/** Longer than any sequence that matters; what is longer is text of a title, a clipboard, a picture. */
const longestSequence = 64;
const escapeByte = 0x1b;
const nothing = Buffer.alloc(0);

interface KittyKeyboard {
  /** How often flags were pushed. */
  depth: number;
  isSet: boolean;
}

export class ModesSeen {
  /** The mode by which the alternate screen was entered: 1049, 1047 or 47. */
  #alternate: number | null = null;
  /** Each screen has a stack of its own. */
  #kitty = { main: plainKeyboard(), alternate: plainKeyboard() };
  #hasOtherKeys = false;
  #hasCursorShape = false;
  /** 4, 10, 11, 12: colours that were changed. */
  readonly #colours = new Set<number>();
  #partial: Buffer = nothing;

  /** Keys may come as sequences of the kitty protocol, the Escape key as well: a lone ESC is the beginning of one. */
  get isKittyOn(): boolean {
    return Object.values(this.#kitty).some(({ depth, isSet }) => depth > 0 || isSet);
  }

  /** What goes to the terminal, in whatever pieces. */
  feed(chunk: Buffer): void {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk;
    this.#partial = nothing;
    for (let at = bytes.indexOf(escapeByte); at >= 0; at = bytes.indexOf(escapeByte, at + 1)) {
      const head = bytes.toString('latin1', at, at + longestSequence);
      const found = sequence.exec(head);
      if (found) this.#note(found);
      else if (head.length < longestSequence && isUnfinished.test(head)) {
        this.#partial = Buffer.from(bytes.subarray(at));
        return;
      }
    }
  }

  #note([text, prefix = '', parameters = '', between = '', final = '', command]: RegExpExecArray): void {
    if (text === '\x1bc') this.#forget();
    else if (command !== undefined) this.#colours.add(Number(command));
    else if (prefix === '?' && (final === 'h' || final === 'l'))
      for (const mode of parameters.split(';')) this.#noteMode(Number(mode), final === 'h');
    else if (final === 'u') this.#noteKitty(prefix, parameters);
    else if (prefix === '>' && final === 'm' && parameters.startsWith('4;')) this.#hasOtherKeys = true;
    else if (between === ' ' && final === 'q') this.#hasCursorShape = true;
  }

  #noteMode(mode: number, isOn: boolean): void {
    if (mode === 1049 || mode === 1047 || mode === 47) this.#alternate = isOn ? mode : null;
  }

  /** `CSI > flags u` pushes, `CSI < number u` pops, `CSI = flags ; how u` changes the topmost. */
  #noteKitty(prefix: string, parameters: string): void {
    const keyboard = this.#alternate === null ? this.#kitty.main : this.#kitty.alternate;
    if (prefix === '>') keyboard.depth += 1;
    else if (prefix === '<') keyboard.depth = Math.max(0, keyboard.depth - Number(parameters || 1));
    else if (prefix === '=') keyboard.isSet = !/^0(?:;1)?$/.test(parameters);
  }

  #forget(): void {
    this.#alternate = null;
    this.#kitty = { main: plainKeyboard(), alternate: plainKeyboard() };
    this.#hasOtherKeys = false;
    this.#hasCursorShape = false;
    this.#colours.clear();
  }

  /** Undoes what was seen, and what does no harm to undo; the cursor comes to a new last line. */
  leavingSequence(): string {
    const { main, alternate } = this.#kitty;
    return [
      // Whatever sequence was cut off ends here, and what was held back is painted.
      '\x1b\\\x1b[?2026l',
      this.#alternate === null ? '' : `${popKeyboard(alternate)}\x1b[?${this.#alternate}l`,
      popKeyboard(main),
      this.#hasOtherKeys ? '\x1b[>4m' : '',
      this.#hasCursorShape ? '\x1b[0 q' : '',
      ...[...this.#colours].map((command) => `\x1b]${command + 100}\x1b\\`),
      alwaysUndone,
    ].join('');
  }
}

const plainKeyboard = (): KittyKeyboard => ({ depth: 0, isSet: false });

const popKeyboard = ({ depth, isSet }: KittyKeyboard): string =>
  `${isSet ? '\x1b[=0;1u' : ''}${depth > 0 ? `\x1b[<${depth}u` : ''}`;

/** RIS; a CSI with its private prefix, parameters and final; the number of an OSC that changes colours. */
const sequence = /^\x1b(?:c|\[([<=>?]?)([\d;:]*)([ -/]*)([@-~])|\](4|1[0-2]);[^?])/;
const isUnfinished = /^\x1b(?:$|\[[<=>?]?[\d;:]*[ -/]*$|\]\d{0,2};?$)/;

/**
 * Mouse, focus, bracketed paste; cursor keys, keypad, wrapping; insert, origin, margins; cursor shown; colours, charset. Setting margins
 * and origin moves the cursor home, so it goes to the bottom afterwards: nothing that is shown is overwritten.
 */
const alwaysUndone = [
  ...[9, 1000, 1001, 1002, 1003, 1005, 1006, 1015, 1016, 1004, 2004, 1, 5, 6, 69].map((mode) => `\x1b[?${mode}l`),
  '\x1b[?7h\x1b[?25h\x1b[4l\x1b>\x1b[r\x1b(B\x0f\x1b[0m',
  '\x1b[999;1H\r\n',
].join('');

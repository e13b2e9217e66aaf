/**
 * What a program sets that xterm.js without a display does not remember: modes of mouse and keyboard, the title, colours of the palette. Handlers only look
 * on: they return false, and the terminal's own come next. What was never touched is left alone in a user's terminal.
 */
import type { Core, CoreParams } from './internals.ts';
import { KittyKeyboard } from './kitty-keyboard.ts';
import { Palette } from './palette.ts';

/**
 * Private modes (DECSET) that only a terminal with a window and a keyboard acts on, and what they are before anything is set; null: that differs, so a reset
 * leaves them. 5 reverse video, 12 blinking cursor, 1005 and 1015 mouse encodings, 1007 wheel as arrow keys, 1034 to 1039 Meta and Alt, 2027 grapheme
 * clusters, 2031 colour scheme reports, 2048 size reports, 9001 Win32 input.
 */
const passive: ReadonlyMap<number, boolean | null> = new Map([
  [5, false],
  [12, null],
  [1005, false],
  [1007, null],
  [1015, false],
  [1034, null],
  [1036, null],
  [1039, null],
  [2027, null],
  [2031, false],
  [2048, false],
  [9001, false],
]);
const maxTitleLength = 1024;
const sgrMouse = 1006;
const pixelMouse = 1016;

export class ModeTracker {
  readonly palette: Palette;
  readonly keyboard = { normal: new KittyKeyboard(), alternate: new KittyKeyboard() };
  readonly #core: Core;
  readonly #onTitle: (title: string) => void;
  readonly #modes = new Map<number, boolean>();
  /** Resource → value of XTMODKEYS; null: set back, -1: disabled. */
  readonly #modifyKeys = new Map<number, number | null>();
  #title: string | null = null;

  constructor(core: Core, onTitle: (title: string) => void) {
    this.#core = core;
    this.palette = new Palette(core);
    core.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => this.#set(params, true));
    core.registerCsiHandler({ prefix: '?', final: 'l' }, (params) => this.#set(params, false));
    core.registerCsiHandler({ prefix: '>', final: 'm' }, (params) => this.#setModifyKeys(params));
    core.registerCsiHandler({ prefix: '>', final: 'n' }, (params) => this.#disableModifyKeys(params));
    core.registerCsiHandler({ prefix: '>', final: 'u' }, ({ params }) => this.#keys.push(params[0]!));
    core.registerCsiHandler({ prefix: '<', final: 'u' }, ({ params }) => this.#keys.pop(params[0]!));
    core.registerCsiHandler({ prefix: '=', final: 'u' }, (params) => this.#keys.set(params));
    core.registerEscHandler({ final: 'c' }, () => this.#fullReset());
    this.#onTitle = onTitle;
  }

  /** Called with each new one, also one that is taken from the terminal's stack of titles. */
  setTitle(title: string): void {
    this.#title = title.slice(0, maxTitleLength);
    this.#onTitle(this.#title);
  }

  get title(): string {
    return this.#title ?? '';
  }

  /** The keyboard of the screen that is shown: each has a stack of its own. */
  get #keys(): KittyKeyboard {
    return this.#core.buffers.active === this.#core.buffers.alt ? this.keyboard.alternate : this.keyboard.normal;
  }

  get kittyFlags(): number {
    return this.#keys.flags;
  }

  /** Sets all of it in another terminal, in whatever state that is; but for the kitty keyboards, which go with their screens. */
  restore(): string {
    return this.#title === null
      ? this.#restoreModes() + this.palette.restore()
      : `${this.#restoreModes()}${this.palette.restore()}\x1b]2;${this.#title}\x1b\\`;
  }

  #restoreModes(): string {
    let text = '';
    for (const [resource, value] of this.#modifyKeys)
      text += value === -1 ? `\x1b[>${resource}n` : `\x1b[>${resource}${value === null ? '' : `;${value}`}m`;
    for (const [mode, isSet] of this.#modes) if (!isMouseEncoding(mode)) text += `\x1b[?${mode}${isSet ? 'h' : 'l'}`;
    return text + this.#mouse();
  }

  /** The encoding that was asked for last is the one that counts, so it comes last. */
  #mouse(): string {
    const { activeProtocol, activeEncoding } = this.#core.coreMouseService;
    const protocol = { X10: '\x1b[?9h', VT200: '\x1b[?1000h', DRAG: '\x1b[?1002h', ANY: '\x1b[?1003h' }[activeProtocol];
    const encoding = { SGR: '\x1b[?1006h', SGR_PIXELS: '\x1b[?1016h' }[activeEncoding];
    let text = (protocol ?? '') + (encoding ?? '');
    for (const [mode, isSet] of this.#modes) if (isMouseEncoding(mode) && isSet) text += `\x1b[?${mode}h`;
    return text;
  }

  #set({ params, length }: CoreParams, isSet: boolean): boolean {
    for (let at = 0; at < length; at += 1) {
      const mode = params[at]!;
      if (mode === sgrMouse || mode === pixelMouse) this.#otherEncodingThan(0);
      if (!passive.has(mode)) continue;
      if (isMouseEncoding(mode)) this.#otherEncodingThan(mode);
      this.#modes.set(mode, isSet);
    }
    return false;
  }

  /** 1005 and 1015 end with any other encoding. */
  #otherEncodingThan(mode: number): void {
    for (const other of [1005, 1015]) if (other !== mode && this.#modes.has(other)) this.#modes.set(other, false);
  }

  #setModifyKeys({ params, length }: CoreParams): boolean {
    if (params[0]! <= maxModifyResource) this.#modifyKeys.set(params[0]!, length > 1 ? params[1]! : null);
    return false;
  }

  #disableModifyKeys({ params }: CoreParams): boolean {
    if (params[0]! <= maxModifyResource) this.#modifyKeys.set(params[0]!, -1);
    return false;
  }

  /** RIS. */
  #fullReset(): boolean {
    this.keyboard.normal.reset();
    this.keyboard.alternate.reset();
    this.palette.reset();
    for (const resource of this.#modifyKeys.keys()) this.#modifyKeys.set(resource, null);
    for (const mode of this.#modes.keys()) {
      const initial = passive.get(mode) ?? null;
      if (initial === null) this.#modes.delete(mode);
      else this.#modes.set(mode, initial);
    }
    return false;
  }
}

/** 0 keyboard, 1 cursor, 2 function, 3 keypad, 4 other, 6 and 7 of newer ones. */
const maxModifyResource = 7;

function isMouseEncoding(mode: number): boolean {
  return mode === 1005 || mode === 1015;
}

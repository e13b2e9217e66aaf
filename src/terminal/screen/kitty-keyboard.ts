/** The stack of one screen of the kitty keyboard protocol (https://sw.kovidgoyal.net/kitty/keyboard-protocol/): flags that say how keys are reported. */
import type { CoreParams } from './internals.ts';

const maxDepth = 16;
const knownFlags = 31;
const replaceAll = 1;
const setBits = 2;

/** Its methods are handlers of sequences, so each returns false: others may look, too. */
export class KittyKeyboard {
  #stack: number[] = [0];
  #isTouched = false;

  get flags(): number {
    return this.#stack.at(-1)!;
  }

  push(flags: number): boolean {
    this.#isTouched = true;
    this.#stack.push(flags & knownFlags);
    if (this.#stack.length > maxDepth) this.#stack.shift();
    return false;
  }

  pop(count: number): boolean {
    this.#isTouched = true;
    this.#stack.splice(Math.max(0, this.#stack.length - Math.max(count, 1)));
    if (this.#stack.length === 0) this.#stack.push(0);
    return false;
  }

  set({ params, length }: CoreParams): boolean {
    this.#isTouched = true;
    const flags = params[0]! & knownFlags;
    const mode = length > 1 ? params[1]! || replaceAll : replaceAll;
    const now = this.flags;
    this.#stack[this.#stack.length - 1] = mode === replaceAll ? flags : mode === setBits ? now | flags : now & ~flags;
    return false;
  }

  reset(): void {
    this.#stack = [0];
  }

  /** Makes the stack of a terminal's present screen the same; '' if no program has touched it. */
  restore(): string {
    if (!this.#isTouched) return '';
    const [first, ...rest] = this.#stack;
    return `\x1b[<99u\x1b[=${first};1u${rest.map((flags) => `\x1b[>${flags}u`).join('')}`;
  }
}

/** The colours that a program has changed (OSC 4 and 10 to 19), and answers to what it asks of them. */
import type { Core } from './internals.ts';

/** What is told to a program that asks while nobody looks: light on dark, as most terminals are. */
const defaults: ReadonlyMap<number, string> = new Map([
  [10, 'rgb:e5e5/e5e5/e5e5'],
  [11, 'rgb:0000/0000/0000'],
  [12, 'rgb:e5e5/e5e5/e5e5'],
]);
const dynamic = [10, 11, 12, 13, 14, 17, 19];
const indexed = 4;
const maxIndex = 255;
const saneColour = /^[#\w:/.,%() -]{1,64}$/;

export class Palette {
  /** "4;1" or "10" → colour, or null for one that was set back. */
  readonly #colours = new Map<string, string | null>();
  readonly #answer: { tell: (text: string) => void } = { tell: () => {} };

  constructor(core: Core) {
    core.registerOscHandler(indexed, (data) => this.#indexed(data.split(';')));
    core.registerOscHandler(indexed + 100, (data) => this.#resetIndexed(data));
    for (const number of dynamic) {
      core.registerOscHandler(number, (data) => this.#dynamic(number, data.split(';')));
      core.registerOscHandler(number + 100, () => this.#forget(`${number}`));
    }
  }

  /** Where answers go to. */
  onAnswer(tell: (text: string) => void): void {
    this.#answer.tell = tell;
  }

  reset(): void {
    for (const key of this.#colours.keys()) this.#colours.set(key, null);
  }

  restore(): string {
    let text = '';
    for (const [key, colour] of this.#colours) {
      const [number, index] = key.split(';');
      if (colour !== null) text += `\x1b]${key};${colour}\x1b\\`;
      else text += `\x1b]${Number(number) + 100}${index === undefined ? '' : `;${index}`}\x1b\\`;
    }
    return text;
  }

  #forget(key: string): false {
    this.#colours.set(key, null);
    return false;
  }

  #indexed(words: readonly string[]): false {
    for (let at = 0; at + 1 < words.length; at += 2) {
      const index = Number(words[at]);
      if (!/^\d+$/.test(words[at]!) || index > maxIndex) continue;
      this.#setOrAnswer(`${indexed};${index}`, words[at + 1]!, () => indexedDefault(index));
    }
    return false;
  }

  /** Without an index all of them. */
  #resetIndexed(data: string): false {
    const named = data.split(';').filter((word) => /^\d+$/.test(word) && Number(word) <= maxIndex);
    const known = [...this.#colours.keys()].filter((key) => key.startsWith(`${indexed};`));
    for (const key of data === '' ? known : named.map((word) => `${indexed};${Number(word)}`)) this.#forget(key);
    return false;
  }

  /** OSC 10 may set 11 and 12 as well, in one go. */
  #dynamic(first: number, words: readonly string[]): false {
    words.forEach((word, at) => {
      const number = first + at;
      if (dynamic.includes(number)) this.#setOrAnswer(`${number}`, word, () => defaults.get(number));
    });
    return false;
  }

  #setOrAnswer(key: string, word: string, initial: () => string | undefined): void {
    if (word !== '?') {
      if (saneColour.test(word)) this.#colours.set(key, word);
      return;
    }
    const colour = asRgb(this.#colours.get(key) ?? '') ?? initial();
    if (colour !== undefined) this.#answer.tell(`\x1b]${key};${colour}\x1b\\`);
  }
}

/** "#rrggbb" or "rgb:…" as programs expect it in an answer: four digits each. Undefined for a name. */
function asRgb(colour: string): string | undefined {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  const slashed = /^rgb:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})$/i.exec(colour);
  const parts = hex ?? slashed;
  if (!parts) return undefined;
  return `rgb:${parts
    .slice(1)
    .map((part) => fourDigits(part.toLowerCase()))
    .join('/')}`;
}

/** Scaled as X11 does it: "f" is "ffff", "80" is "8080". */
function fourDigits(part: string): string {
  const most = 16 ** part.length - 1;
  return Math.round((Number.parseInt(part, 16) / most) * 0xffff)
    .toString(16)
    .padStart(4, '0');
}

const base16 = [
  '000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5',
  '7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff',
]
  .join(' ')
  .split(' ');
const cubeLevels = [0, 95, 135, 175, 215, 255];

/** xterm's colours: 16, a cube of 6×6×6, 24 greys. */
function indexedDefault(index: number): string | undefined {
  if (index < 16) return asRgb(`#${base16[index]!}`);
  const levels = index < 232 ? cubeOf(index - 16) : new Array<number>(3).fill(8 + (index - 232) * 10);
  return asRgb(`#${levels.map((level) => level.toString(16).padStart(2, '0')).join('')}`);
}

function cubeOf(place: number): number[] {
  return [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map((at) => cubeLevels[at]!);
}

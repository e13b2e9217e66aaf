/**
 * Finds in what a person types the keys that detach: by default Ctrl-B, then d. What else is typed goes on to the program, byte by byte as it came.
 *
 * The first key is held back until the next one is known, however long that takes. A deadline would be wrong either way: whoever presses Ctrl-B, thinks,
 * and presses d would have both typed into the program, where d may delete. The next key decides: the second of the chord detaches; the first once more
 * goes to the program once; any other goes there after the first, so nothing that was typed is lost.
 *
 * A terminal may send a key as CSI 98;5u (kitty's protocol) or CSI 27;5;98~ (xterm's modifyOtherKeys), and a sequence may come in pieces. So a sequence that
 * is not whole is held, too, but for a moment only (`flush`): an ESC may as well be the Escape key. With kitty's protocol there are also releases and presses
 * of Ctrl itself, which are no keys of a chord; nor is what a terminal says by itself: mouse, focus, answers. Within a bracketed paste nothing is a key.
 */
import { splitModifiers, withControl } from './keys.ts';

export interface DetachKey {
  /** Its code point, unmodified. */
  readonly code: number;
  readonly isCtrl: boolean;
  /** As terminals send it without any extension. */
  readonly byte: number;
}

/** One key or two. */
export type DetachKeys = readonly [DetachKey] | readonly [DetachKey, DetachKey];

/** What is held back: nothing; the chord's first key; an ESC, or a sequence of which the end is missing. */
export type Holding = 'nothing' | 'prefix' | 'escape' | 'sequence';

export interface Sifted {
  /** For the program. */
  readonly pass: Buffer;
  /** What came after the chord is dropped. */
  readonly isDetach: boolean;
}

/** `C-b d`, `ctrl-b,d`, `C-\`: one key or two; `none` gives null. Throws a RangeError that says what is wrong. */
export function parseDetachKeys(text: string): DetachKeys | null {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'none') return null;
  const words = trimmed.split(/\s+|(?<=.),(?=.)/).filter((word) => word !== '');
  const keys = words.map(parseDetachKey);
  if (keys.length < 1 || keys.length > 2) throw new RangeError(`"${text}" is not one key or two`);
  return keys as unknown as DetachKeys;
}

function parseDetachKey(word: string): DetachKey {
  const { base, modifiers } = splitModifiers(word.replace(/^ctrl-(?=.)/i, 'C-').replace(/^c-(?=.)/, 'C-'));
  const character = /^space$/i.test(base) ? ' ' : base;
  const isAscii = /^[\x20-\x7e]$/.test(character);
  if (!isAscii || modifiers.meta || modifiers.shift)
    throw new RangeError(`"${word}" can't be a detach key: a character can, or Ctrl with one, as in C-b`);
  if (!modifiers.ctrl) return { code: character.charCodeAt(0), isCtrl: false, byte: character.charCodeAt(0) };
  const byte = withControl(character).charCodeAt(0);
  if (byte === 0x1b || (byte >= 0x20 && byte !== 0x7f))
    throw new RangeError(
      `"${word}" can't be a detach key: terminals have no code for it${byte === 0x1b ? ' alone' : ''}`,
    );
  return { code: character.toLowerCase().charCodeAt(0), isCtrl: true, byte };
}

/** How messages name the keys: `C-b d`. */
export function describeDetachKeys(keys: DetachKeys): string {
  const name = ({ code, isCtrl }: DetachKey) => {
    const character = code === 0x20 ? 'Space' : String.fromCharCode(code);
    return isCtrl ? `C-${character}` : character;
  };
  return keys.map(name).join(' ');
}

const escapeByte = 0x1b;
const nothing = Buffer.alloc(0);
/** No key's sequence is longer. */
const longestSequence = 64;

export class DetachDetector {
  readonly #keys: DetachKeys | null;
  /** The first key, and what came with it: shown to the program only if the chord comes to nothing. */
  #prefix: Buffer = nothing;
  /** The beginning of a sequence. */
  #partial: Buffer = nothing;
  #isPasting = false;

  constructor(keys: DetachKeys | null) {
    this.#keys = keys;
  }

  get holding(): Holding {
    if (this.#partial.length > 0) return this.#partial.length === 1 ? 'escape' : 'sequence';
    return this.#prefix.length > 0 ? 'prefix' : 'nothing';
  }

  /** What has just been typed. */
  feed(chunk: Buffer): Sifted {
    if (!this.#keys) return { pass: chunk, isDetach: false };
    return this.#sift(this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk);
  }

  /** The rest of a held sequence did not come: it is what it is. The chord's first key stays held. */
  flush(): Buffer {
    const partial = this.#partial;
    this.#partial = nothing;
    if (partial.length === 0) return nothing;
    return Buffer.concat([this.#giveUpPrefix(), partial]);
  }

  #sift(bytes: Buffer): Sifted {
    this.#partial = nothing;
    const pass: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const plainEnd = this.#endOfPlain(bytes, at);
      if (plainEnd > at) pass.push(bytes.subarray(at, plainEnd));
      at = plainEnd;
      if (at === bytes.length) break;
      const end = endOfToken(bytes, at);
      if (end === null) {
        // A copy: the chunk's memory is the stream's.
        this.#partial = Buffer.from(bytes.subarray(at));
        break;
      }
      if (this.#take(bytes.subarray(at, end), pass)) return { pass: Buffer.concat(pass), isDetach: true };
      at = end;
    }
    return { pass: pass.length === 1 ? pass[0]! : Buffer.concat(pass), isDetach: false };
  }

  /** Where the next byte is that needs a look. */
  #endOfPlain(bytes: Buffer, from: number): number {
    if (this.#prefix.length > 0) return from;
    const first = this.#isPasting ? escapeByte : this.#keys![0].byte;
    let at = from;
    while (at < bytes.length && bytes[at] !== escapeByte && bytes[at] !== first) at++;
    return at;
  }

  /** One key or sequence; true if it completes the chord. */
  #take(token: Buffer, pass: Buffer[]): boolean {
    const kind = kindOf(token);
    if (this.#isPasting) {
      if (kind.is === 'paste-end') this.#isPasting = false;
      pass.push(token);
      return false;
    }
    if (kind.is === 'paste-begin') this.#isPasting = true;
    if (this.#prefix.length > 0) return this.#takeSecond(token, kind, pass);
    if (!matches(this.#keys![0], kind)) {
      pass.push(token);
      return false;
    }
    if (this.#keys!.length === 1) return true;
    this.#prefix = Buffer.from(token);
    return false;
  }

  #takeSecond(token: Buffer, kind: Kind, pass: Buffer[]): boolean {
    if (matches(this.#keys![1]!, kind)) return true;
    if (matches(this.#keys![0], kind)) {
      // The literal key; its release, which will come, goes with it.
      this.#prefix = nothing;
      pass.push(token);
    } else if (kind.is === 'no-press') this.#prefix = Buffer.concat([this.#prefix, token]);
    // A terminal's own words are not part of what is typed, and a program may wait for them.
    else if (kind.is === 'report') pass.push(token);
    else pass.push(this.#giveUpPrefix(), token);
    return false;
  }

  #giveUpPrefix(): Buffer {
    const prefix = this.#prefix;
    this.#prefix = nothing;
    return prefix;
  }
}

/** Where the key or sequence that begins at `at` ends; null if that is not there yet. */
function endOfToken(bytes: Buffer, at: number): number | null {
  if (bytes[at] !== escapeByte) return at + 1;
  if (at + 1 === bytes.length) return null;
  // ESC and a character: Alt. Two ESC are two keys, the second perhaps the beginning of a sequence.
  if (bytes[at + 1] !== 0x5b) return bytes[at + 1] === escapeByte ? at + 1 : at + 2;
  for (let end = at + 2; end < bytes.length; end++) {
    const byte = bytes[end]!;
    // The oldest mouse report has three bytes more, of which one may be a letter.
    if (byte === 0x4d && end === at + 2) return end + 4 <= bytes.length ? end + 4 : null;
    if (byte >= 0x40 && byte <= 0x7e) return end + 1;
    // No sequence: what broke it off is looked at by itself.
    if (byte < 0x20 || byte > 0x7e || end - at >= longestSequence) return end;
  }
  return null;
}

type Kind =
  | { readonly is: 'key'; readonly codes: readonly number[]; readonly isCtrl: boolean }
  | { readonly is: 'byte'; readonly byte: number }
  /** A release, or a modifier by itself. */
  | { readonly is: 'no-press' }
  /** What a terminal says that is not typed. */
  | { readonly is: 'report' }
  | { readonly is: 'paste-begin' | 'paste-end' }
  | { readonly is: 'other' };

/** What a token means, by kitty's keyboard protocol and xterm's ctlseqs. */
function kindOf(token: Buffer): Kind {
  if (token.length === 1) return { is: 'byte', byte: token[0]! };
  const text = token.toString('latin1');
  if (text === '\x1b[200~') return { is: 'paste-begin' };
  if (text === '\x1b[201~') return { is: 'paste-end' };
  const kitty = /^\x1b\[([\d:]+)(?:;(\d*)(?::(\d+))?)?(?:;[\d:]*)?u$/.exec(text);
  if (kitty) return ofKitty(kitty[1]!, Number(kitty[2] || 1), Number(kitty[3] ?? 1));
  // Releases of other keys: CSI 1;1:3A.
  if (/^\x1b\[\d*;\d*:3[A-Z~]$/.test(text)) return { is: 'no-press' };
  const other = /^\x1b\[27;(\d+);(\d+)~$/.exec(text);
  if (other) return ofModifiers([Number(other[2])], Number(other[1]));
  // Mouse, focus, and answers: cursor position, device attributes, modes, window.
  return /^\x1b\[(?:M.{3}|[<?>=].*[a-zA-Z]|[\d;]*[IOMcnRtxy])$/s.test(text) ? { is: 'report' } : { is: 'other' };
}

function ofKitty(codes: string, modifiers: number, event: number): Kind {
  // key : shifted key : the key at this place of a Latin keyboard
  const [key = 0, , latin] = codes.split(':').map(Number);
  const isModifier = (key >= 57441 && key <= 57454) || (key >= 57358 && key <= 57360);
  if (event === 3 || isModifier) return { is: 'no-press' };
  return ofModifiers(latin && key > 0x7e ? [key, latin] : [key], modifiers);
}

/** Caps lock and num lock, 64 and 128, change nothing. With Shift, Alt or Super it is another key. */
function ofModifiers(codes: readonly number[], parameter: number): Kind {
  const bits = (parameter - 1) & ~0xc0;
  return bits === 0 || bits === 4 ? { is: 'key', codes, isCtrl: bits === 4 } : { is: 'other' };
}

function matches({ code, isCtrl, byte }: DetachKey, kind: Kind): boolean {
  if (kind.is === 'byte') return kind.byte === byte;
  if (kind.is !== 'key' || kind.isCtrl !== isCtrl) return false;
  // With caps lock xterm sends Ctrl-B's code as that of the capital.
  const fold = (one: number) => (isCtrl && one >= 0x41 && one <= 0x5a ? one + 0x20 : one);
  return kind.codes.some((one) => fold(one) === code);
}

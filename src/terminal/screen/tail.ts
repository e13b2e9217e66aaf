/**
 * The bytes of a sequence or a character that has begun and not ended: who joins now needs them before what comes next. Nothing is looked at but the end of a
 * chunk, so that text costs nothing.
 *
 * Half a UTF-8 character is kept back from the parser until the rest is there: xterm.js loses characters that are split behind a byte 0x80.
 */
import { groundState, lastExecutingState } from './internals.ts';

/** A longer sequence is given up: its beginning is forgotten, and what follows is ignored until it ends. */
export const maxTailBytes = 64 * 1024;

const nothing = Buffer.alloc(0);
const escapeByte = 0x1b;
const oscState = 8;
const stringState = 7;
/** The C1 controls that begin a sequence, as UTF-8 has them, behind 0xC2: DCS, SOS, CSI, OSC, PM, APC. */
const c1Starts = new Set([0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f]);

export class Tail {
  #sequence: Buffer[] = [];
  #length = 0;
  #character: Buffer = nothing;
  /** Set while a sequence goes on that was too long to keep: what begins one of its kind and has no meaning. */
  #givenUp = '';

  /** What the parser may have of the next bytes: with the character that was split, without one that is split now. */
  whole(bytes: Buffer): Buffer {
    const joined = this.#character.length === 0 ? bytes : Buffer.concat([this.#character, bytes]);
    const split = splitCharacterAt(joined);
    this.#character = split === joined.length ? nothing : Buffer.from(joined.subarray(split));
    return split === joined.length ? joined : joined.subarray(0, split);
  }

  /** After `chunk` was parsed and the parser is in `state`; true once when the sequence has become too long. */
  parsed(chunk: Buffer, state: number): boolean {
    if (state === groundState) {
      if (this.#length > 0 || this.#givenUp) this.clear();
      return false;
    }
    const start = lastStart(chunk);
    if (start >= 0) this.clear();
    else if (this.#givenUp) return false;
    const piece = Buffer.from(chunk.subarray(Math.max(start, 0)));
    this.#sequence.push(piece);
    this.#length += piece.length;
    return this.#length > maxTailBytes && this.#giveUp(state);
  }

  #giveUp(state: number): boolean {
    this.clear();
    // Numbers that nobody uses; a privacy message is for nobody.
    this.#givenUp = state === oscState ? '\x1b]7777;' : state === stringState ? '\x1b^' : '\x1bP7777z';
    if (state <= lastExecutingState) this.#givenUp = '\x1b[?7777';
    return true;
  }

  /** Without the control characters that have been carried out. */
  bytes(state: number): Buffer {
    if (state === groundState) return this.#character;
    if (this.#givenUp) return Buffer.concat([Buffer.from(this.#givenUp), this.#character]);
    const sequence = Buffer.concat(this.#sequence);
    const pending =
      state > lastExecutingState ? sequence : sequence.filter((byte) => byte >= 0x20 || byte === escapeByte);
    return Buffer.concat([pending, this.#character]);
  }

  clear(): void {
    this.#sequence = [];
    this.#length = 0;
    this.#givenUp = '';
  }

  /** For a screen that begins anew. */
  reset(): void {
    this.clear();
    this.#character = nothing;
  }
}

/** Where the last sequence of a chunk begins; -1 if none does. */
function lastStart(chunk: Buffer): number {
  const start = chunk.lastIndexOf(escapeByte);
  for (let at = chunk.lastIndexOf(0xc2); at > start; at = at === 0 ? -1 : chunk.lastIndexOf(0xc2, at - 1))
    if (c1Starts.has(chunk[at + 1] ?? 0)) return at;
  return start;
}

/** Where an unfinished character at the end begins; the length if there is none. */
function splitCharacterAt(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return back < characterLength(byte) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function characterLength(lead: number): number {
  if (lead >= 0xf8) return 1;
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

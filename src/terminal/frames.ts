/**
 * How a terminal's clients and its host talk: frames over a Unix socket, each a type byte, a length of four bytes (big endian), and a payload of at most
 * 1 MiB. `o`, `s` and `i` carry a terminal's bytes as they are, all others JSON. What comes from the other side is not trusted: a length beyond the bound,
 * a type that there is not, JSON of another shape, each is a ProtocolError, after which the connection is worth nothing.
 *
 * A client says hello first, and is answered by welcome and a snapshot, or by error. It acknowledges bytes of `o` and `s` once they have left its hands, so
 * the host knows how far behind it is, and need not queue for one that stands still.
 */

/** Goes up with what an older side would misunderstand; types are added only with it. */
export const terminalVersion = 1;
export const maxPayloadBytes = 1024 * 1024;
/** For input and output that is split anyway: small enough to be one write into a socket's buffer. */
export const chunkBytes = 64 * 1024;
/** Of each frame, before its payload. */
export const headBytes = 5;

/** The other side does not speak this protocol. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

export interface Frame {
  /** One letter. */
  readonly type: string;
  readonly payload: Buffer;
}

/** A frame's bytes; a payload that is no bytes is written as JSON. */
export function encodeFrame(type: string, payload: unknown): Buffer {
  const body = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  if (body.length > maxPayloadBytes) throw new RangeError(`a payload of ${body.length} bytes is too long for a frame`);
  const frame = Buffer.allocUnsafe(headBytes + body.length);
  frame[0] = type.charCodeAt(0);
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, headBytes);
  return frame;
}

/** Bytes of any length as frames that are short enough. */
export function* encodeChunks(type: string, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield encodeFrame(type, bytes.subarray(at, at + chunkBytes));
}

/** Takes bytes in whatever pieces they come and gives whole frames. Holds less than one frame. */
export class FrameReader {
  readonly #types: string;
  #pieces: Buffer[] = [];
  #held = 0;
  #failure: ProtocolError | null = null;

  /** `types`: the letters that the other side may send. */
  constructor(types: string) {
    this.#types = types;
  }

  /** The frames that are whole with these bytes, one by one: those before garbage are given, then it throws. Payloads may share the chunk's memory. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pieces.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      const frame = this.#next();
      if (frame === null) return;
      yield frame;
    }
  }

  #next(): Frame | null {
    if (this.#failure) throw this.#failure;
    if (this.#held === 0) return null;
    const head = this.#peek(Math.min(this.#held, headBytes));
    const type = String.fromCharCode(head[0]!);
    if (!this.#types.includes(type)) this.#fail(`a frame of type 0x${head[0]!.toString(16)} is not known`);
    if (head.length < headBytes) return null;
    const length = head.readUInt32BE(1);
    if (length > maxPayloadBytes) this.#fail(`a frame of ${length} bytes is too long`);
    if (this.#held < headBytes + length) return null;
    return { type, payload: this.#take(headBytes + length).subarray(headBytes) };
  }

  #fail(message: string): never {
    this.#pieces = [];
    this.#held = 0;
    this.#failure = new ProtocolError(message);
    throw this.#failure;
  }

  /** Joins pieces only when the first does not do: a frame that comes in a thousand pieces is copied once, not a thousand times. */
  #peek(length: number): Buffer {
    const first = this.#pieces[0]!;
    if (first.length < length) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!.subarray(0, length);
  }

  #take(length: number): Buffer {
    const all = this.#peek(length);
    const rest = this.#pieces[0]!.subarray(length);
    if (rest.length > 0) this.#pieces[0] = rest;
    else this.#pieces.shift();
    this.#held -= length;
    return all;
  }
}

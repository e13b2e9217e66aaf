/**
 * Text that may hold bytes that are no UTF-8: argv, environment, paths. Each such byte becomes a lone surrogate U+DC80…U+DCFF, as Python's
 * "surrogateescape" (PEP 383) does, so that JSON carries it and nothing is lost.
 */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escaped = /[\uDC80-\uDCFF]/;

/** Bytes as a string; every byte sequence comes back from `encodeBytes` as it was. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

/** The bytes of a string made by `decodeBytes` or of any ordinary string. */
export function encodeBytes(text: string): Buffer {
  if (!hasRawBytes(text)) return Buffer.from(text);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (!isRawByte(text, at)) continue;
    parts.push(Buffer.from(text.slice(from, at)), Buffer.from([unit - 0xdc00]));
    from = at + 1;
  }
  parts.push(Buffer.from(text.slice(from)));
  return Buffer.concat(parts);
}

/** Whether a string stands for bytes that are no UTF-8. */
export function hasRawBytes(text: string): boolean {
  if (!escaped.test(text)) return false;
  for (let at = 0; at < text.length; at++) if (isRawByte(text, at)) return true;
  return false;
}

/** Control characters, DEL, C1 and raw bytes as `\x1b`: for all text of a user or a program that is shown in a table or an error. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\uDC80-\uDCFF]/g,
    (char: string, at: number) => {
      const unit = char.charCodeAt(0);
      if (unit >= 0xdc80 && unit <= 0xdcff) return isRawByte(text, at) ? hex(unit - 0xdc00) : char;
      return unit > 0xff ? `\\u${unit.toString(16)}` : hex(unit);
    },
  );
}

const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;

/** A lone low surrogate of the range; the low half of a real pair is none. */
function isRawByte(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 0xdc80 || unit > 0xdcff) return false;
  const before = at > 0 ? text.charCodeAt(at - 1) : 0;
  return !(before >= 0xd800 && before <= 0xdbff);
}

function decodeLossless(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + bytes[at]!);
      at += 1;
    } else {
      text += strictUtf8.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at an offset, 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  try {
    strictUtf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

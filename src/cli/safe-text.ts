/**
 * Log bytes as they may go to a terminal: colours (SGR) pass, every other control character is shown as `\x1b`, bytes that are no UTF-8
 * too. Works on a stream: what may go on in the next chunk (half a character, half a sequence) is held back.
 */
import { decodeBytes, escapeControls } from '../host/bytes.ts';

export interface SafeText {
  /** The next bytes → text to print. */
  push(chunk: Uint8Array): string;
  /** What was held back, and colours ended where any began. */
  end(): string;
}

const kept = /(\x1b\[[\d;:]{0,64}m|\r\n|[\n\t])/;
const unfinished = /(?:\x1b(?:\[[\d;:]{0,64})?|\r)$/;
const harmless = /^[\n\t\x20-\x7e\u00a0-\u1fff\u3000-\ud7ff]*$/;

export function safeText(): SafeText {
  let heldBytes: Uint8Array = new Uint8Array(0);
  let heldText = '';
  let hasColours = false;
  const clean = (text: string): string => {
    if (harmless.test(text)) return text;
    const parts = text.split(kept);
    hasColours ||= parts.some((part, at) => at % 2 === 1 && part.startsWith('\x1b['));
    return parts.map((part, at) => (at % 2 === 1 ? part.replace('\r', '') : escapeControls(part))).join('');
  };
  return {
    push(chunk) {
      const bytes = Buffer.concat([heldBytes, chunk]);
      const cut = bytes.length - unfinishedBytes(bytes);
      heldBytes = bytes.subarray(cut);
      const text = heldText + decodeBytes(bytes.subarray(0, cut));
      heldText = unfinished.exec(text)?.[0] ?? '';
      return clean(text.slice(0, text.length - heldText.length));
    },
    end() {
      const rest = clean(heldText + decodeBytes(heldBytes));
      return hasColours ? `${rest}\x1b[0m` : rest;
    },
  };
}

/** How many bytes at the end may be the beginning of a character. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

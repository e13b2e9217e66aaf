/** Puts a prefix before each line of a stream, so that several logs can be told apart where they mix. */

export interface LinePrefixer {
  push(chunk: Uint8Array): void;
  /** A last line without its end is printed with one. */
  end(): void;
}

/** A line without an end is held back up to this size, then printed in parts. */
const mostHeldBytes = 64 * 1024;
const lineEnd = 10;

/** Hands each line with its prefix and its line end to `put`. */
export function linePrefixer(prefix: string, put: (line: Uint8Array) => void): LinePrefixer {
  const head = Buffer.from(prefix);
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const hold = (part: Uint8Array) => {
    held.push(part);
    heldBytes += part.length;
  };
  const flush = () => {
    const line = Buffer.concat([head, ...held]);
    put(line[line.length - 1] === lineEnd ? line : Buffer.concat([line, Buffer.from('\n')]));
    held = [];
    heldBytes = 0;
  };
  return {
    push(chunk) {
      for (let from = 0; from < chunk.length; ) {
        const at = chunk.indexOf(lineEnd, from);
        const to = at < 0 ? chunk.length : at + 1;
        hold(chunk.subarray(from, to));
        if (at >= 0 || heldBytes > mostHeldBytes) flush();
        from = to;
      }
    },
    end() {
      if (heldBytes > 0) flush();
    },
  };
}

/** Looks for a line that matches, on a screen and in what scrolls by. By RE2's rules: in linear time, whatever the pattern. */
import { RE2JS } from 're2js';

const longestLine = 4096;
/** CSI; OSC, DCS and the like up to their end; other escapes; controls. */
const escapes =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

export class Waiter {
  readonly #pattern: RE2JS;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #line: string | null = null;

  /** `flags` of i, m, s. Throws RE2's error for what is no pattern. */
  constructor(pattern: string, flags: string) {
    this.#pattern = RE2JS.compile(flags === '' ? pattern : `(?${flags})${pattern}`);
  }

  /** The line that matched. */
  get line(): string | null {
    return this.#line;
  }

  /** More output. */
  saw(bytes: Buffer): void {
    if (this.#line !== null) return;
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop()!.slice(-longestLine);
    this.#find(lines.flatMap((line) => line.replace(escapes, '').split('\r')));
  }

  /** What the screen shows. */
  look(text: string): void {
    if (this.#line === null) this.#find(text.split('\n'));
  }

  #find(lines: readonly string[]): void {
    this.#line = lines.find((line) => this.#pattern.matcher(line.slice(0, longestLine)).find()) ?? null;
  }
}

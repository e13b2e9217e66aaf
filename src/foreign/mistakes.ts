/** What is wrong with a file of another tool: all of it is said at once, with lines, as of our own config files. */
import { quote } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';

const shownMistakes = 50;

export class Mistakes {
  readonly #file: string;
  readonly #said: { readonly line: number | null; readonly text: string }[] = [];

  /** `file` is for the message. */
  constructor(file: string) {
    this.#file = file;
  }

  /** `line` counts from 1; null where it concerns the file. */
  say(line: number | null, text: string): void {
    this.#said.push({ line, text });
  }

  /** Throws CONFIG_INVALID if there is any. */
  check(): void {
    const count = this.#said.length;
    if (count === 0) return;
    const lines = this.#said
      .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
      .map(({ line, text }) => `  ${line === null ? '' : `line ${line}: `}${text}`);
    const more = count > shownMistakes ? [`  … and ${count - shownMistakes} more`] : [];
    throw new SteadError(
      'CONFIG_INVALID',
      `${quote(this.#file)} has ${count === 1 ? 'a mistake' : `${count} mistakes`}:\n${[...lines.slice(0, shownMistakes), ...more].join('\n')}`,
      { hint: 'nothing was written', details: { mistakes: this.#said } },
    );
  }
}

/** Of a file with this one mistake. */
export function mistaken(file: string, text: string, line: number | null = null): SteadError {
  const mistakes = new Mistakes(file);
  mistakes.say(line, text);
  try {
    mistakes.check();
  } catch (error) {
    return error as SteadError;
  }
  throw new Error('a mistake was said, and none was found');
}

/** An app as it is put together: no value gets in that a config file would not take; what doesn't is said in a note. */
import { countOn, isName, passingName } from '../config/app-name.ts';
import { optionValue } from '../config/file/read-config.ts';
import { optionsTable } from '../config/options.ts';
import { quote } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';
import type { ForeignApp } from './model.ts';

/** What says what runs, in the order in which a person writes it; the options follow in the order of their table. */
const first = ['name', 'job', 'script', 'command', 'args'];

export class Draft {
  readonly #values = new Map<string, unknown>();
  readonly #notes: string[] = [];

  /** Sets a key of the stanza; undefined sets nothing. `from` is how the other file says it (`stopsignal=FOO`), for the note if the value is none. */
  put(key: string, value: unknown, from?: string): boolean {
    if (value === undefined) return false;
    const option = optionsTable.find((row) => row.key === key);
    try {
      if (option !== undefined) optionValue(option, value);
    } catch (error) {
      if (!(error instanceof SteadError)) throw error;
      this.note(`${from ?? key}: left out, as ${error.message}`);
      return false;
    }
    this.#values.set(key, value);
    return true;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  remove(key: string): void {
    this.#values.delete(key);
  }

  /** A sentence; control characters are no part of one. Each is said once. */
  note(text: string): void {
    const plain = text.replace(/[\x00-\x1f\x7f\u2028\u2029]+/g, ' ');
    if (!this.#notes.includes(plain)) this.#notes.push(plain);
  }

  app(): ForeignApp {
    const order = [...first, ...optionsTable.map(({ key }) => key)];
    const keys = [...this.#values.keys()].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    return {
      stanza: Object.fromEntries(keys.map((key) => [key, this.#values.get(key)])),
      notes: this.#notes,
    };
  }
}

/** Gives each app a name that passes and that no other has. */
export class Names {
  readonly #given = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** A draft with the name, and a note if it isn't the one that was wanted. `id` is what others refer to it by. */
  begin(wanted: string, id = wanted): Draft {
    const name = countOn(isName(wanted) ? wanted : passingName(wanted), (word) => this.#taken.has(word));
    this.#taken.add(name);
    this.#given.set(id, name);
    const draft = new Draft();
    draft.put('name', name);
    if (name !== wanted) draft.note(`It is called ${quote(wanted)} there.`);
    return draft;
  }

  /** The name of what was begun under an id. */
  of(id: string): string | undefined {
    return this.#given.get(id);
  }
}

/** `a`, `b` and `c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

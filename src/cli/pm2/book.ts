/**
 * What only pm2's way of counting needs, `pm2.json` in the home: a number for each instance that stays its own, how often a restart was asked for, and which apps ran at
 * the last `save`. It may be gone: then the numbers begin anew.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppView } from '../../protocol/api.ts';

interface Pages {
  /** By `<id of the app>:<index>`. */
  readonly ids: Readonly<Record<string, number>>;
  readonly asked: Readonly<Record<string, number>>;
  /** Names; null: nothing was saved. */
  readonly saved: readonly string[] | null;
}

export const slotKey = (app: Pick<AppView, 'id'>, index: number): string => `${app.id}:${index}`;

export class Book {
  readonly #path: string;
  #pages: Pages;

  private constructor(path: string, pages: Pages) {
    this.#path = path;
    this.#pages = pages;
  }

  /** With a number for each instance of these apps, and none for others. */
  static open(home: string, apps: readonly AppView[]): Book {
    const path = join(home, 'pm2.json');
    const before = readPages(path);
    const keys = apps
      .toSorted((a, b) => a.id - b.id)
      .flatMap((app) => app.instances.filter(({ role }) => role === undefined).map(({ index }) => slotKey(app, index)));
    const ids: Record<string, number> = {};
    for (const key of keys) if (Object.hasOwn(before.ids, key)) ids[key] = before.ids[key]!;
    for (const key of keys) ids[key] ??= Math.max(-1, ...Object.values(ids)) + 1;
    const asked = Object.fromEntries(Object.entries(before.asked).filter(([key]) => Object.hasOwn(ids, key)));
    const book = new Book(path, before);
    if (keys.length === 0 && Object.keys(before.ids).length === 0) return book;
    try {
      book.#write({ ...before, ids, asked });
    } catch {
      // Who may only look, or has a full disk, has numbers all the same.
    }
    return book;
  }

  idOf(app: Pick<AppView, 'id'>, index: number): number {
    return this.#pages.ids[slotKey(app, index)] ?? -1;
  }

  /** How often a restart or a reload of it was asked for. */
  askedFor(app: Pick<AppView, 'id'>, index: number): number {
    return this.#pages.asked[slotKey(app, index)] ?? 0;
  }

  countAsked(keys: readonly string[]): void {
    const asked = { ...this.#pages.asked };
    for (const key of keys) asked[key] = (asked[key] ?? 0) + 1;
    this.#write({ ...this.#pages, asked });
  }

  forgetAsked(keys: readonly string[]): void {
    const asked = Object.entries(this.#pages.asked).filter(([key]) => !keys.includes(key));
    this.#write({ ...this.#pages, asked: Object.fromEntries(asked) });
  }

  get saved(): readonly string[] | null {
    return this.#pages.saved;
  }

  save(names: readonly string[]): void {
    this.#write({ ...this.#pages, saved: names });
  }

  #write(pages: Pages): void {
    const text = JSON.stringify(pages);
    if (text === JSON.stringify(this.#pages)) return;
    this.#pages = pages;
    const beside = `${this.#path}.${process.pid}`;
    mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, this.#path);
  }
}

function readPages(path: string): Pages {
  try {
    const pages = JSON.parse(readFileSync(path, 'utf8')) as Partial<Pages>;
    return { ids: pages.ids ?? {}, asked: pages.asked ?? {}, saved: pages.saved ?? null };
  } catch {
    return { ids: {}, asked: {}, saved: null };
  }
}

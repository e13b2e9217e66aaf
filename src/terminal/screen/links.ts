/**
 * Hyperlinks (OSC 8). xterm.js keeps a marker for each line of each link, for as long as the line lives: a program that redraws links for a day fills the
 * memory, and one that never closes a link slows down every character. Here equal links are one, and those that no cell has are dropped when there are many.
 */
import { extendedFlag, wordsPerCell } from './cells.ts';
import type { Core, CoreBuffer, CoreLine, LinkData } from './internals.ts';

const firstSweep = 1024;
const maxUriLength = 4096;
const maxChars = 4 * 1024 * 1024;

export class Links {
  readonly #core: Core;
  readonly #byId = new Map<number, LinkData>();
  readonly #ids = new Map<string, number>();
  #lastId = 0;
  #chars = 0;
  #sweepAt = firstSweep;

  constructor(core: Core) {
    this.#core = core;
    core._oscLinkService.registerLink = (data) => this.#register(data);
    core._oscLinkService.addLineToLink = () => {};
    core._oscLinkService.getLinkData = (id) => this.data(id);
  }

  readonly data = (id: number): LinkData | undefined => this.#byId.get(id);

  /** 0, which is no link, for one that is too long. */
  #register(data: LinkData): number {
    const key = keyOf(data);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#byId.size >= this.#sweepAt || this.#chars > maxChars) this.#sweep();
    if (key.length > maxUriLength || this.#chars > maxChars) return 0;
    this.#lastId += 1;
    this.#byId.set(this.#lastId, data);
    this.#ids.set(key, this.#lastId);
    this.#chars += key.length;
    return this.#lastId;
  }

  #sweep(): void {
    const used = new Set<number>([this.#core._inputHandler._curAttrData.extended._urlId]);
    for (const buffer of [this.#core.buffers.normal, this.#core.buffers.alt]) addUsed(buffer, used);
    for (const [id, data] of this.#byId) {
      if (used.has(id)) continue;
      this.#byId.delete(id);
      this.#ids.delete(keyOf(data));
      this.#chars -= keyOf(data).length;
    }
    this.#sweepAt = Math.max(firstSweep, this.#byId.size * 2);
  }
}

function keyOf({ id, uri }: LinkData): string {
  return `${id ?? ''};${uri}`;
}

function addUsed({ lines }: CoreBuffer, used: Set<number>): void {
  for (let row = 0; row < lines.length; row += 1) {
    const line = lines.get(row);
    if (line)
      for (const [column, extended] of Object.entries(line._extendedAttrs))
        addCell(line, Number(column), extended?._urlId, used);
  }
}

/** Extended attributes stay in the line when a cell without them is written over. */
function addCell(line: CoreLine, column: number, id: number | undefined, used: Set<number>): void {
  if (id && line._data[column * wordsPerCell + 2]! & extendedFlag) used.add(id);
}

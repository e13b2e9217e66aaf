/**
 * Where xterm.js does not do as terminals do, or can't bear what programs print that mean ill or are broken: handlers that throw, numbers that make it loop two
 * thousand million times, cells that take a million combining characters.
 */
import type { Core, CoreBuffer, CoreParams } from './internals.ts';

/** Of one cell, UTF-16 units. */
const maxCellLength = 64;

export function guard(core: Core): void {
  catchThrown(core);
  limitRepeats(core);
  eraseAboveOnLastLine(core);
  saveCursorByRow(core);
  resetAll(core);
  limitCells(core);
}

/** A sequence that throws has no effect, and what comes after it is parsed. Text and line feeds don't throw, and are what there is most of. */
function catchThrown(core: Core): void {
  const { _csiHandlers: csi, _escHandlers: esc } = core._inputHandler._parser;
  for (const list of [...Object.values(csi), ...Object.values(esc)]) list.splice(0, list.length, ...list.map(safe));
}

type Handler = (params?: unknown) => unknown;

function safe(handler: (...args: never[]) => unknown): Handler {
  const call = handler as Handler;
  return (params) => {
    try {
      return call(params);
    } catch {
      return true;
    }
  };
}

/** More lines than there are, or tabs than columns, change nothing more. */
function limitRepeats(core: Core): void {
  const limit = (final: string, most: () => number) =>
    core.registerCsiHandler({ final }, ({ params }) => {
      params[0] = Math.min(params[0]!, most());
      return false;
    });
  for (const final of ['L', 'M', 'S', 'T']) limit(final, () => core.rows);
  for (const final of ['I', 'Z']) limit(final, () => core.cols);
  limit('b', () => core.cols * core.rows);
}

/** xterm.js clears a mark of the line below the cursor's, which the last line does not have. */
function eraseAboveOnLastLine(core: Core): void {
  const input = core._inputHandler;
  const handler = (respectProtect: boolean) => (params: CoreParams) => {
    const buffer = core.buffers.active;
    const isAtRisk = params.params[0] === 1 && buffer.x + 1 >= core.cols && !buffer.lines.get(buffer.y + 1);
    if (!isAtRisk) return false;
    const { x, y } = buffer;
    buffer.x = core.cols - 2;
    input.eraseInDisplay(params, respectProtect);
    input._eraseInBufferLine(y, core.cols - 1, core.cols, true, respectProtect);
    buffer.x = x;
    return true;
  };
  core.registerCsiHandler({ final: 'J' }, handler(false));
  core.registerCsiHandler({ prefix: '?', final: 'J' }, handler(true));
}

/** A terminal saves the cursor's place on the screen; xterm.js that in its buffer, which moves when lines scroll away. Here `savedY` counts from the screen's top. */
function saveCursorByRow(core: Core): void {
  const input = core._inputHandler;
  const { saveCursor, restoreCursor, softReset } = input;
  input.saveCursor = () => {
    saveCursor.call(input);
    return toRow(core.buffers.active);
  };
  input.softReset = (params) => {
    softReset.call(input, params);
    return toRow(core.buffers.active);
  };
  input.restoreCursor = () => {
    const buffer = core.buffers.active;
    buffer.savedY += buffer.ybase;
    restoreCursor.call(input);
    return toRow(buffer);
  };
}

function toRow(buffer: CoreBuffer): true {
  buffer.savedY = Math.max(0, buffer.savedY - buffer.ybase);
  return true;
}

/** RIS in xterm.js leaves these as they are. */
function resetAll(core: Core): void {
  core.registerEscHandler({ final: 'c' }, () => {
    core.coreService.isCursorHidden = false;
    core.options.convertEol = false;
    return false;
  });
}

function limitCells(core: Core): void {
  const line = core.buffers.normal.lines.get(0)!;
  const prototype = Object.getPrototypeOf(line) as typeof line & { isLimited?: true };
  if (prototype.isLimited) return;
  const add = prototype.addCodepointToCell;
  prototype.isLimited = true;
  prototype.addCodepointToCell = function (index, codePoint, width) {
    if ((this._combined[index]?.length ?? 0) < maxCellLength) add.call(this, index, codePoint, width);
  };
}

/**
 * Answers to what programs ask a terminal for and xterm.js without a display leaves open: keyboard flags, sizes in pixels, the terminal's name, colour
 * scheme, terminfo names. What it answers itself (device attributes, cursor position, modes, the size in characters) is not answered here: one answer a query.
 */
import type { Core, CoreParams } from './internals.ts';
import type { ModeTracker } from './mode-tracker.ts';

/** Of a cell, for programs that draw pictures; nobody knows the real ones while nobody is attached. */
const cellPixels = { width: 8, height: 16 };
const dark = 1;
const colourScheme = 996;

export function answerQueries(core: Core, tracker: ModeTracker, tell: (text: string) => void): void {
  tracker.palette.onAnswer(tell);
  core.registerCsiHandler({ prefix: '?', final: 'u' }, () => {
    tell(`\x1b[?${tracker.kittyFlags}u`);
    return true;
  });
  core.registerCsiHandler({ prefix: '?', final: 'n' }, ({ params }) => {
    if (params[0] === colourScheme) tell(`\x1b[?997;${dark}n`);
    return false;
  });
  core.registerCsiHandler({ prefix: '>', final: 'q' }, ({ params }) => {
    if (params[0] === 0) tell('\x1bP>|stead\x1b\\');
    return true;
  });
  core.registerCsiHandler({ final: 't' }, (params) => answerPixels(core, params, tell));
  core.registerDcsHandler({ intermediates: '+', final: 'q' }, (names) => {
    tell(`\x1bP0+r${/^[0-9a-f;]*$/i.test(names) ? names : ''}\x1b\\`);
    return true;
  });
}

function answerPixels(core: Core, { params, length }: CoreParams, tell: (text: string) => void): boolean {
  const { width, height } = cellPixels;
  if (params[0] === 14 && !(length > 1 && params[1] === 2)) tell(`\x1b[4;${core.rows * height};${core.cols * width}t`);
  if (params[0] === 16) tell(`\x1b[6;${height};${width}t`);
  return false;
}

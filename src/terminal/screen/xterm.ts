/** xterm.js without a display, with the widths of Unicode 11, its core at hand. */
import * as unicode from '@xterm/addon-unicode11';
import type { Terminal } from '@xterm/headless';
import * as headless from '@xterm/headless';
import { type Core, coreOf } from './internals.ts';

/** Node gives a CommonJS module as the default export alone, a bundler gives its names. */
function namesOf<T extends object>(module: T): T {
  return 'default' in module ? (module.default as T) : module;
}

export interface XtermOptions {
  readonly cols: number;
  readonly rows: number;
  readonly scrollback: number;
}

export function createTerminal({ cols, rows, scrollback }: XtermOptions): { terminal: Terminal; core: Core } {
  const { Terminal: Xterm } = namesOf(headless);
  const { Unicode11Addon } = namesOf(unicode);
  const terminal = new Xterm({
    cols,
    rows,
    scrollback,
    allowProposedApi: true,
    logLevel: 'off',
    // Asking for a size, and saving titles; not what changes a window.
    windowOptions: {
      getWinSizePixels: true,
      getCellSizePixels: true,
      getWinSizeChars: true,
      pushTitle: true,
      popTitle: true,
    },
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  return { terminal, core: coreOf(terminal) };
}

/** An update of xterm.js that moves what is used of its inside fails here, and says what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTerminal } from './xterm.ts';

const paths = [
  ...['active', 'normal', 'alt'].flatMap((buffer) =>
    ['lines', 'x', 'y', 'ybase', 'scrollTop', 'scrollBottom', 'tabs', 'savedX', 'savedY', 'savedCurAttrData'].map(
      (field) => `buffers.${buffer}.${field}`,
    ),
  ),
  ...['fg', 'bg', 'extended._ext', 'extended._urlId'].map((field) => `_inputHandler._curAttrData.${field}`),
  ...['currentState', 'precedingJoinState', '_csiHandlers', '_escHandlers', 'reset'].map(
    (field) => `_inputHandler._parser.${field}`,
  ),
  '_inputHandler._parser._oscParser.reset',
  '_inputHandler._parser._dcsParser.reset',
  ...['parse', 'selectCharset', 'saveCursor', 'restoreCursor', 'softReset', 'eraseInDisplay', '_eraseInBufferLine'].map(
    (method) => `_inputHandler.${method}`,
  ),
  'coreService.isCursorHidden',
  'coreService.modes.insertMode',
  ...['applicationCursorKeys', 'applicationKeypad', 'bracketedPasteMode', 'origin', 'reverseWraparound'].map(
    (mode) => `coreService.decPrivateModes.${mode}`,
  ),
  ...['sendFocus', 'synchronizedOutput', 'wraparound'].map((mode) => `coreService.decPrivateModes.${mode}`),
  'coreMouseService.activeProtocol',
  'coreMouseService.activeEncoding',
  '_charsetService.glevel',
  '_charsetService._charsets',
  ...['registerLink', 'addLineToLink', 'getLinkData'].map((method) => `_oscLinkService.${method}`),
  ...['registerCsiHandler', 'registerEscHandler', 'registerOscHandler', 'registerDcsHandler'],
  'options.convertEol',
];

test('xterm.js has inside what is used of it', () => {
  const { terminal, core } = createTerminal({ cols: 20, rows: 6, scrollback: 10 });
  for (const path of paths) {
    let value: unknown = core;
    for (const name of path.split('.')) value = (value as Record<string, unknown>)[name];
    assert.notEqual(value, undefined, path);
  }
  const line = core.buffers.normal.lines.get(0)!;
  assert.equal(line._data.length, 3 * 20);
  assert.deepEqual([line._combined, line._extendedAttrs, line.isWrapped], [{}, {}, false]);
  terminal.dispose();
});

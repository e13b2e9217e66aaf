/**
 * What of xterm.js is used that its interface does not show: the state that a snapshot has to restore (tab stops, saved cursor, character sets, cells as they
 * are stored) and a way to parse at once instead of a millisecond later. It holds for the exact version in package.json; internals.test.ts fails when an
 * update moves something.
 */
import type { Terminal } from '@xterm/headless';

/** What a cell has beyond colours: `_ext` is underline style (bits 26-28) and underline colour (bits 0-25). `_urlId` is 0 without a link. */
export interface CoreExtended {
  readonly _ext: number;
  readonly _urlId: number;
}

export interface CoreAttributes {
  fg: number;
  bg: number;
  extended: CoreExtended;
}

/** Three words a cell: content, foreground, background (see cells.ts). */
export interface CoreLine {
  readonly _data: Uint32Array;
  readonly _combined: Readonly<Record<number, string>>;
  readonly _extendedAttrs: Readonly<Record<number, CoreExtended | undefined>>;
  readonly length: number;
  readonly isWrapped: boolean;
  addCodepointToCell(index: number, codePoint: number, width: number): void;
}

export type Charset = object | undefined;

export interface CoreBuffer {
  readonly lines: { get(index: number): CoreLine | undefined; readonly length: number };
  x: number;
  readonly y: number;
  /** Lines of history above the screen. */
  readonly ybase: number;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  savedX: number;
  savedY: number;
  readonly savedCurAttrData: CoreAttributes;
  readonly savedCharset: Charset;
}

/** A sequence's numbers, which a handler may change for the handlers after it. */
export interface CoreParams {
  readonly length: number;
  readonly params: Int32Array;
}

export interface HandlerId {
  readonly prefix?: string;
  readonly intermediates?: string;
  readonly final: string;
}

type AnyHandler = (...args: never[]) => unknown;

export interface CoreParser {
  readonly currentState: number;
  /** Not 0: the next combining character joins the one printed last. */
  readonly precedingJoinState: number;
  readonly _csiHandlers: Record<number, AnyHandler[]>;
  readonly _escHandlers: Record<number, AnyHandler[]>;
  readonly _oscParser: { reset(): void };
  readonly _dcsParser: { reset(): void };
  reset(): void;
}

export interface CoreInput {
  readonly _parser: CoreParser;
  readonly _curAttrData: CoreAttributes;
  parse(bytes: Uint8Array): unknown;
  selectCharset(collectAndFlag: string): boolean;
  saveCursor(): boolean;
  restoreCursor(): boolean;
  softReset(params: CoreParams): boolean;
  eraseInDisplay(params: CoreParams, respectProtect?: boolean): boolean;
  _eraseInBufferLine(y: number, start: number, end: number, clearWrap: boolean, respectProtect: boolean): void;
}

export interface CoreModes {
  applicationCursorKeys: boolean;
  applicationKeypad: boolean;
  bracketedPasteMode: boolean;
  cursorBlink: boolean | undefined;
  cursorStyle: 'block' | 'underline' | 'bar' | undefined;
  origin: boolean;
  reverseWraparound: boolean;
  sendFocus: boolean;
  synchronizedOutput: boolean;
  wraparound: boolean;
}

export interface LinkData {
  readonly id?: string | undefined;
  readonly uri: string;
}

export interface Core {
  readonly cols: number;
  readonly rows: number;
  readonly options: { convertEol: boolean; cursorBlink: boolean };
  readonly buffers: { readonly active: CoreBuffer; readonly normal: CoreBuffer; readonly alt: CoreBuffer };
  readonly coreService: {
    isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: CoreModes;
  };
  readonly coreMouseService: { readonly activeProtocol: string; readonly activeEncoding: string };
  readonly _charsetService: {
    readonly charset: Charset;
    readonly glevel: number;
    readonly _charsets: readonly Charset[];
  };
  readonly _oscLinkService: {
    registerLink(data: LinkData): number;
    addLineToLink(id: number, row: number): void;
    getLinkData(id: number): LinkData | undefined;
  };
  readonly _inputHandler: CoreInput;
  registerCsiHandler(id: HandlerId, handler: (params: CoreParams) => boolean): unknown;
  registerEscHandler(id: HandlerId, handler: () => boolean): unknown;
  registerOscHandler(number: number, handler: (data: string) => boolean): unknown;
  registerDcsHandler(id: HandlerId, handler: (data: string) => boolean): unknown;
}

export function coreOf(terminal: Terminal): Core {
  return (terminal as unknown as { _core: Core })._core;
}

/** The parser's state where it expects text. */
export const groundState = 0;
/** States in which control characters are carried out although a sequence is unfinished: after ESC, in CSI. */
export const lastExecutingState = 6;

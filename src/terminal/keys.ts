/** Keys by their names, as tmux has them, and the bytes that a terminal of the xterm kind sends for them. */

export interface KeyOptions {
  /** The program has asked for "application cursor keys" (DECCKM): arrows, Home and End come as SS3. */
  readonly applicationCursor?: boolean;
}

/** A name with a modifier, but no key: what was typed is a slip, as nobody wants its letters in a program. */
export class KeyUnknown extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`there is no key "${key}"`);
    this.name = 'KeyUnknown';
    this.key = key;
  }
}

/** The bytes of keys written with spaces between them: `C-c Enter M-x F5`. As in tmux a word that is no key's name is typed letter by letter. */
export function encodeKeys(words: string, options: KeyOptions = {}): Buffer {
  const parts = words.split(/\s+/).filter((word) => word !== '');
  return Buffer.concat(parts.map((word) => encodeKey(word, options)));
}

/** The bytes of one key, or of a word that names none. Throws KeyUnknown. */
export function encodeKey(word: string, options: KeyOptions = {}): Buffer {
  const { base, modifiers } = splitModifiers(word);
  const special = specialKeys.get(base.toLowerCase());
  if (special) return special(modifiers, options);
  if ([...base].length === 1) return encodeCharacter(base, modifiers);
  if (isPlain(modifiers)) return Buffer.from(word);
  throw new KeyUnknown(word);
}

export interface Modifiers {
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
}

/** `C-M-x` is x with two modifiers, `^x` is `C-x`, and a lone `^` or `C-` is what it is. */
export function splitModifiers(word: string): { readonly base: string; readonly modifiers: Modifiers } {
  const [, prefixes = '', rest = ''] = /^((?:[CMS]-)*)(.*)$/su.exec(word)!;
  // `C--` is the minus; `C-` alone is two letters.
  if (rest === '') return { base: word, modifiers: { ctrl: false, meta: false, shift: false } };
  const isCaret = rest.length > 1 && rest.startsWith('^') && [...rest].length === 2;
  const modifiers = {
    ctrl: prefixes.includes('C') || isCaret,
    meta: prefixes.includes('M'),
    shift: prefixes.includes('S'),
  };
  return { base: isCaret ? rest.slice(1) : rest, modifiers };
}

const isPlain = ({ ctrl, meta, shift }: Modifiers): boolean => !ctrl && !meta && !shift;

/** What Ctrl makes of a character, by VT220 and xterm; those without a code of their own come as they are. */
export function withControl(character: string): string {
  if (/^[@A-Za-z[\\\]^_ ]$/.test(character)) return String.fromCharCode(character.charCodeAt(0) & 0x1f);
  return controlOf[character] ?? character;
}

const controlOf: Readonly<Record<string, string>> = {
  '`': '\x00',
  '~': '\x1e',
  '{': '\x1b',
  '|': '\x1c',
  '}': '\x1d',
  '/': '\x1f',
  '-': '\x1f',
  '?': '\x7f',
  '2': '\x00',
  '3': '\x1b',
  '4': '\x1c',
  '5': '\x1d',
  '6': '\x1e',
  '7': '\x1f',
  '8': '\x7f',
};

function encodeCharacter(character: string, { ctrl, meta, shift }: Modifiers): Buffer {
  const shifted = shift ? character.toUpperCase() : character;
  return Buffer.from(`${meta ? '\x1b' : ''}${ctrl ? withControl(shifted) : shifted}`);
}

type Encoder = (modifiers: Modifiers, options: KeyOptions) => Buffer;

/** xterm's parameter: 1 and the sum of Shift 1, Meta 2, Ctrl 4. */
const parameter = ({ ctrl, meta, shift }: Modifiers): number => 1 + (shift ? 1 : 0) + (meta ? 2 : 0) + (ctrl ? 4 : 0);

/** Arrows, Home, End: CSI A, with modifiers CSI 1;5A, in application mode SS3 A. */
const cursor =
  (letter: string): Encoder =>
  (modifiers, { applicationCursor = false }) => {
    const plain = applicationCursor ? `\x1bO${letter}` : `\x1b[${letter}`;
    return Buffer.from(isPlain(modifiers) ? plain : `\x1b[1;${parameter(modifiers)}${letter}`);
  };

/** F1 to F4: SS3 P, with modifiers CSI 1;5P. */
const pf =
  (letter: string): Encoder =>
  (modifiers) =>
    Buffer.from(isPlain(modifiers) ? `\x1bO${letter}` : `\x1b[1;${parameter(modifiers)}${letter}`);

/** The editing keys and F5 on: CSI 5~, with modifiers CSI 5;5~. */
const numbered =
  (number: number): Encoder =>
  (modifiers) =>
    Buffer.from(isPlain(modifiers) ? `\x1b[${number}~` : `\x1b[${number};${parameter(modifiers)}~`);

/** Keys that have one byte, and with Ctrl or Shift perhaps another. */
const typed =
  (plain: string, { ctrl = plain, shift = plain }: { readonly ctrl?: string; readonly shift?: string } = {}): Encoder =>
  (modifiers) =>
    Buffer.from(`${modifiers.meta ? '\x1b' : ''}${modifiers.ctrl ? ctrl : modifiers.shift ? shift : plain}`);

const functionKeys: readonly (readonly [string, Encoder])[] = [
  ...['P', 'Q', 'R', 'S'].map((letter, index) => [`f${index + 1}`, pf(letter)] as const),
  ...[15, 17, 18, 19, 20, 21, 23, 24].map((number, index) => [`f${index + 5}`, numbered(number)] as const),
];

/** The numeric pad as it is without application mode: its characters. */
const padKeys: readonly (readonly [string, Encoder])[] = [
  ...[...'0123456789.+-*/'].map((character) => [`kp${character}`, typed(character)] as const),
  ['kpenter', typed('\r')],
];

const specialKeys: ReadonlyMap<string, Encoder> = new Map([
  ['up', cursor('A')],
  ['down', cursor('B')],
  ['right', cursor('C')],
  ['left', cursor('D')],
  ['end', cursor('F')],
  ['home', cursor('H')],
  ...['ic', 'insert'].map((name) => [name, numbered(2)] as const),
  ...['dc', 'delete'].map((name) => [name, numbered(3)] as const),
  ...['pageup', 'pgup', 'ppage'].map((name) => [name, numbered(5)] as const),
  ...['pagedown', 'pgdn', 'npage'].map((name) => [name, numbered(6)] as const),
  ['enter', typed('\r')],
  ['escape', typed('\x1b')],
  ['tab', typed('\t', { shift: '\x1b[Z' })],
  ['btab', typed('\x1b[Z')],
  ['space', typed(' ', { ctrl: '\x00' })],
  ['bspace', typed('\x7f', { ctrl: '\b' })],
  ...functionKeys,
  ...padKeys,
]);

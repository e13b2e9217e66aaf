/** What a file is to the kernel, from its first 4 KB: whether execve(2) would take it, and if not, why. */
import { constants, type Stats } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { decodeBytes } from '../host/bytes.ts';
import { errnoOf } from '../host/files.ts';
import { type Elf, parseElf, whyElfFails } from './elf.ts';
import { findCommand, fsPath, whyNotExecutable } from './find.ts';
import { quote, shellWord } from './quote.ts';
import { remembered } from './remembered.ts';

export interface Shebang {
  /** The interpreter's path as written. */
  readonly interpreter: string;
  /** All that follows, which the kernel passes as one argument; null if nothing does. */
  readonly argument: string | null;
  /** The line ends with a carriage return, which then is part of the last word. */
  readonly endsInCr: boolean;
}

export type Kind =
  | { readonly kind: 'elf'; readonly elf: Elf }
  | { readonly kind: 'shebang'; readonly shebang: Shebang }
  | { readonly kind: 'empty' | 'text' | 'binary' | 'unreadable' };

export type FileFacts = Kind & {
  /** Permissions allow to execute it. */
  readonly isExecutable: boolean;
};

/** Where names are looked up for a program: its PATH and its working directory. */
export interface Lookup {
  readonly path: string | undefined;
  readonly cwd: string;
}

const headBytes = 4096;

/** What a regular file is. Throws the system's error for a path that is none or isn't there. */
export async function fileFacts(path: string): Promise<FileFacts> {
  const isExecutable = (await whyNotExecutable(path)) === null;
  try {
    const { head } = await readHead(path);
    return { ...kindOf(head), isExecutable };
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return { kind: 'unreadable', isExecutable };
    throw error;
  }
}

/** Not blocking: a FIFO must not hold us up. */
async function readHead(path: string): Promise<{ head: Buffer; stats: Stats }> {
  const handle = await open(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile())
      throw Object.assign(new Error('no regular file'), { code: stats.isDirectory() ? 'EISDIR' : 'EINVAL' });
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { head: buffer.subarray(0, bytesRead), stats };
  } finally {
    await handle.close();
  }
}

function kindOf(head: Buffer): Kind {
  if (head.length === 0) return { kind: 'empty' };
  const elf = parseElf(head);
  if (elf !== null) return { kind: 'elf', elf };
  const shebang = parseShebang(head);
  if (shebang !== null) return { kind: 'shebang', shebang };
  return { kind: head.includes(0) ? 'binary' : 'text' };
}

/** The `#!` line as the kernel reads it (fs/binfmt_script.c); null if there is none. */
export function parseShebang(head: Buffer): Shebang | null {
  if (head[0] !== 0x23 || head[1] !== 0x21) return null;
  const end = head.indexOf(10);
  const line = decodeBytes(head.subarray(2, end < 0 ? Math.min(head.length, 256) : end));
  const match = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/s.exec(line.replace(/\r$/, ''));
  if (match === null) return null;
  return { interpreter: match[1]!, argument: match[2] || null, endsInCr: line.endsWith('\r') };
}

/** What a `#!` line asks for: `/usr/bin/env -S node --x` → `node`. */
export function shebangProgram({ interpreter, argument }: Shebang): { word: string; args: string[]; isEnv: boolean } {
  if (basename(interpreter) !== 'env' || argument === null) {
    return { word: interpreter, args: argument === null ? [] : [argument], isEnv: false };
  }
  const words = argument.split(/[ \t]+/).filter((word) => !/^(-S|--split-string|-i|-|-v)$|=/.test(word));
  const first = words[0]?.replace(/^-S/, '');
  return first === undefined
    ? { word: interpreter, args: [argument], isEnv: false }
    : { word: first, args: words.slice(1), isEnv: true };
}

export interface Refusal {
  /** Why, in words that follow "because": `it has no execute permission`. */
  readonly why: string;
  readonly hint?: string;
  /** Set if the file itself would do and its interpreter is what is missing. */
  readonly interpreter?: string;
}

/** How many scripts may be each other's interpreters (the kernel's own limit). */
const deepestShebang = 4;

/** Null if the kernel would execute a file that is there; else why not. */
export function whyNotRunnable(path: string, lookup: Lookup): Promise<Refusal | null> {
  const key = ['runnable', path, lookup.path, lookup.cwd].join('\0');
  return remembered(
    key,
    (why) => why === null,
    () => lookWhy(path, lookup, 0),
  );
}

async function lookWhy(path: string, lookup: Lookup, depth: number): Promise<Refusal | null> {
  const permission = await whyNotExecutable(path);
  if (permission === 'missing') return { why: 'it does not exist' };
  if (permission !== null) return { why: permission, ...chmodHint(permission, path) };
  const facts = await fileFacts(path);
  switch (facts.kind) {
    case 'elf':
      return whyElf(facts.elf);
    case 'shebang':
      return whyShebang(facts.shebang, path, lookup, depth);
    case 'empty':
      return { why: 'it is empty' };
    case 'text':
      return {
        why: 'it is text without a #! line that says what runs it',
        hint: `--interpreter sh, or begin it with #!/bin/sh`,
      };
    case 'binary':
      return (await hasForeignFormats()) ? null : { why: 'it is in no format that this machine executes' };
    case 'unreadable':
      return null;
  }
}

function chmodHint(why: string, path: string): { hint?: string } {
  return why === 'it has no execute permission' ? { hint: `chmod +x ${shellWord(path)}` } : {};
}

async function whyElf(elf: Elf): Promise<Refusal | null> {
  const why = await whyElfFails(elf);
  return why === null || (why.startsWith('it is built for') && (await hasForeignFormats())) ? null : { why };
}

async function whyShebang(shebang: Shebang, path: string, lookup: Lookup, depth: number): Promise<Refusal | null> {
  if (shebang.endsInCr) {
    return {
      why: 'its #! line ends with a carriage return (a Windows line end), which becomes part of the interpreter',
      hint: `sed -i 's/\\r$//' ${shellWord(path)}`,
    };
  }
  if (depth >= deepestShebang) return { why: 'its #! lines lead from script to script' };
  const missing = await whyInterpreter(shebang.interpreter, lookup, depth);
  if (missing !== null) return missing;
  const { word, isEnv } = shebangProgram(shebang);
  return isEnv ? whyInterpreter(word, lookup, depth) : null;
}

async function whyInterpreter(word: string, lookup: Lookup, depth: number): Promise<Refusal | null> {
  const name = quote(word);
  const found = await findCommand(word, lookup);
  if (found.how === 'missing') {
    const where = word.includes('/') ? 'does not exist' : 'is not in your PATH';
    return { why: `its #! line asks for ${name}, which ${where}`, interpreter: word };
  }
  const inner = found.how === 'refused' ? { why: found.why } : await lookWhy(found.path, lookup, depth + 1);
  return inner === null
    ? null
    : { why: `its #! line asks for ${name}, which cannot be executed: ${inner.why}`, interpreter: word };
}

/** Whether the kernel was taught further formats (binfmt_misc): then what we don't know may run all the same. */
async function hasForeignFormats(): Promise<boolean> {
  const entries = await readdir('/proc/sys/fs/binfmt_misc').catch(() => []);
  return entries.some((entry) => entry !== 'register' && entry !== 'status');
}

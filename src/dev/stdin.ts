/**
 * Who gets what is typed. A terminal is the program's own: it reads lines or keys as it would without us, and only a line that it has left unread for a moment is looked
 * at here. What comes through a pipe passes through here to each run in turn, as it does with nodemon.
 */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { openTerminalInput, type TerminalInput } from '../host/terminal-input.ts';
import type { Run } from './run.ts';

/** A program that reads its terminal does so within milliseconds, unless it computes. */
const courtesyMs = 100;
/** What nobody has read for so long is waited for by nobody. */
const unreadMs = 5000;
/** More than this is not taken in advance of a program that doesn't read. */
const mostBuffered = 2 ** 20;

export interface Stdin {
  /** How a run's stdin is to be opened. */
  readonly mode: 'inherit' | 'pipe';
  /** The word restarts it here: always, where the program leaves it unread, or never. */
  readonly hears: 'all' | 'unread' | 'nothing';
  /** The run that reads from now on; null: none does. */
  attach(run: Run | null): void;
  close(): void;
}

/** `word` null: nothing restarts it. */
export function openStdin(word: string | null, onWord: () => void): Stdin {
  const plain: Stdin = { mode: 'inherit', hears: 'nothing', attach() {}, close() {} };
  if (word === null) return plain;
  if (isatty(0)) return terminalStdin(word, onWord) ?? plain;
  return isPipe() ? pipedStdin(word, onWord) : plain;
}

function isPipe(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

const isWord = (line: string, word: string): boolean => line.trim().toLowerCase() === word.toLowerCase();

function terminalStdin(word: string, onWord: () => void): Stdin | null {
  let hasReader = false;
  let timer: NodeJS.Timeout | null = null;
  let unreadSince = 0;
  /** What was pending when something last came, and how much came then. */
  let seen = 0;
  let grewBy = 0;
  const lookIn = (ms: number) => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, ms);
  };
  const input: TerminalInput | null = openTerminalInput(() => {
    const pending = input!.pending();
    if (pending > seen) grewBy = pending - seen;
    seen = pending;
    lookIn(courtesyMs);
  });
  if (input === null) return null;
  return {
    mode: 'inherit',
    hears: 'unread',
    attach(run) {
      hasReader = run !== null;
      lookIn(courtesyMs);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      input.close();
    },
  };

  function look(): void {
    const pending = input!.pending();
    const now = performance.now();
    if (pending === 0) unreadSince = 0;
    else if (unreadSince === 0) unreadSince = now;
    // A line of another length may be meant for a program that reads it later; an empty one hardly is.
    const isLate = unreadSince !== 0 && now - unreadSince > unreadMs;
    const length = Buffer.byteLength(word) + 1;
    // Behind others that are left unread, it is as if it were alone: they are lost, but who types it wants another run.
    const isOurs =
      !hasReader || isLate || pending === 1 || pending === length || (pending === seen && grewBy === length);
    if (pending > 0 && !isOurs) lookIn(unreadMs);
    if (pending === 0 || !isOurs) return;
    seen = 0;
    for (let line = input!.readLine(); line !== ''; line = input!.pending() > 0 ? input!.readLine() : '') {
      unreadSince = 0;
      if (isWord(line, word)) onWord();
    }
  }
}

function pipedStdin(word: string, onWord: () => void): Stdin {
  let run: Run | null = null;
  let hasEnded = false;
  const onData = (chunk: Buffer) => {
    if (isWord(chunk.toString('latin1'), word)) {
      onWord();
      return;
    }
    const target = run?.child.stdin;
    if (!target?.writable) return;
    target.write(chunk);
    if (target.writableLength < mostBuffered) return;
    process.stdin.pause();
    const goOn = () => process.stdin.resume();
    target.once('drain', goOn);
    target.once('close', goOn);
  };
  const onEnd = () => {
    hasEnded = true;
    run?.child.stdin?.end();
  };
  process.stdin.on('data', onData).on('end', onEnd).on('error', onEnd);
  return {
    mode: 'pipe',
    hears: 'all',
    attach(next) {
      run = next;
      next?.child.stdin?.on('error', () => {});
      if (hasEnded) next?.child.stdin?.end();
    },
    close() {
      process.stdin.off('data', onData).off('end', onEnd).off('error', onEnd).pause();
    },
  };
}

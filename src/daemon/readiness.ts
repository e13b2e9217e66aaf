/**
 * Watches a program that was launched until it is ready, by what its spec says. Everything that it may have said is in a file or a socket that outlives this
 * daemon, so that the next one goes on where this one ended.
 */
import { closeSync, constants, fstatSync, openSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';
import { baseOf } from '../logs/excerpt.ts';
import type { LogPlace } from '../logs/layout.ts';
import type { Check } from '../protocol/spec.ts';
import type { Instance } from './instance.ts';
import { logPlacesOf } from './log-places.ts';
import { type IsOurs, probe, siblingAnswered } from './probe.ts';
import { reachDirectory } from './reach.ts';
import { hasAccepted } from './sharing/accepting.ts';

/** Between two looks: soon at first, then more seldom. */
const firstLookMs = 20;
const lastLookMs = 500;
const probeTimeoutMs = 5000;
/** A line that is longer is looked at in parts. */
const longestLine = 64 * 1024;
const chunkBytes = 64 * 1024;

export interface Watching {
  close(): void;
}

/** Calls `isReady` once. `notify` is told by the notify socket, and not watched here. */
export function watchReadiness(instance: Instance, run: number, isReady: () => void): Watching {
  const { ready } = instance.app.spec;
  const { sharing } = instance.app;
  if (instance.role !== 'candidate' || sharing === null) return watchWord(instance, run, isReady);
  // Only a program with the preload tells where it listens. Of another one its own word is enough, and what accepts how can't always be seen.
  const isWordEnough = !sharing.hasPreload || sharing.held.entries().length === 0;
  if (ready !== null && ready.kind !== 'listen' && isWordEnough) return watchWord(instance, run, isReady);
  if (ready === null || ready.kind === 'listen') return untilListening(instance, isReady);
  // Its own word, and then that it listens where the run before it does.
  let second: Watching | null = null;
  const first = watchWord(instance, run, () => {
    second = untilListening(instance, isReady);
  });
  return {
    close() {
      first.close();
      second?.close();
    },
  };
}

/** By the file in which a program tells of its sockets, each time it grows; without one by looks at what the kernel tells. */
function untilListening(instance: Instance, isReady: () => void): Watching {
  const { sharing } = instance.app;
  if (sharing === null) {
    setImmediate(isReady);
    return { close() {} };
  }
  if (!sharing.hasPreload)
    return repeat(async (isClosed) => {
      const isThere = sharing.isListening(instance);
      if (isThere && !isClosed()) isReady();
      return isThere;
    });
  const controller = new AbortController();
  instance
    .until(() => sharing.isListening(instance), controller.signal)
    .then(isReady)
    .catch(() => {});
  return { close: () => controller.abort() };
}

function watchWord(instance: Instance, run: number, isReady: () => void): Watching {
  const { ready } = instance.app.spec;
  switch (ready?.kind) {
    case 'listen':
      return untilListening(instance, isReady);
    case 'port':
    case 'http':
    case 'exec':
      return untilProbed(instance, ready, isReady);
    case 'log':
      return untilLogged(instance, ready.pattern, isReady);
    case 'fd':
      return untilFileHas(join(instance.runDirectory(run), 'ready'), (text) => text.includes('\n'), isReady);
    case 'ipc':
      return untilFileHas(
        join(reachDirectory(instance, run), 'said'),
        (text) => text.split('\n').includes('"ready"'),
        isReady,
      );
    default:
      return { close() {} };
  }
}

/** On a shared socket an answer counts if it is this run's: the kernel gives a connection to whoever is free, so it is asked again. */
const mostAsked = 20;

function untilProbed(instance: Instance, check: Check, isReady: () => void): Watching {
  const { app } = instance;
  const limitMs = Math.min(probeTimeoutMs, app.spec.readyTimeoutMs);
  const isOurs: IsOurs | undefined = app.sharing === null ? undefined : (ports) => hasAccepted(instance, ports);
  return repeat(async (isClosed) => {
    let finding = await probe(app, check, limitMs, isOurs);
    for (let asked = 1; finding === siblingAnswered && asked < mostAsked && !isClosed(); asked++)
      finding = await probe(app, check, limitMs, isOurs);
    if (finding === null && !isClosed()) isReady();
    return finding === null;
  });
}

/** Looks until `look` says that it is done. */
function repeat(look: (isClosed: () => boolean) => Promise<boolean>): Watching {
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;
  const again = (ms: number) => {
    timer = setTimeout(async () => {
      const isDone = await look(() => isClosed).catch(() => false);
      if (!isDone && !isClosed) again(Math.min(lastLookMs, ms * 2));
    }, ms);
  };
  again(firstLookMs);
  return {
    close() {
      isClosed = true;
      if (timer) clearTimeout(timer);
    },
  };
}

function untilLogged(instance: Instance, pattern: string, isReady: () => void): Watching {
  const { out, err } = logPlacesOf(instance);
  const readers = [
    new LineReader(out, instance.logStart.out),
    ...(err === out ? [] : [new LineReader(err, instance.logStart.err)]),
  ];
  // A look is a read of what is new; the writer is not slowed down by it, as it would be by a watch.
  return repeat(async (isClosed) => {
    const matches = await linearMatcher(pattern);
    const isThere = readers.some((reader) => reader.newLines().some(matches));
    if (isThere && !isClosed()) isReady();
    return isThere;
  });
}

/** By RE2's rules: in linear time, whatever the pattern. Throws for what is no pattern. */
export async function linearMatcher(pattern: string): Promise<(line: string) => boolean> {
  const { RE2JS } = await import('re2js');
  const compiled = RE2JS.compile(pattern);
  return (line) => compiled.matcher(line).find();
}

/** The lines that are new in a file, at most 1 MB of them at a time. */
class LineReader {
  readonly #path: string;
  #offset: number;
  #rest = '';

  constructor(place: LogPlace, offset: number) {
    this.#path = place.file;
    this.#offset = Math.max(0, offset - baseOf(place));
  }

  newLines(): string[] {
    const lines: string[] = [];
    for (let chunks = 0; chunks < 16; chunks++) {
      const chunk = this.#read();
      if (chunk === '') break;
      const parts = (this.#rest + chunk).split('\n');
      this.#rest = parts.pop()!.slice(-longestLine);
      lines.push(...parts.map((line) => line.slice(-longestLine)));
    }
    // Without its newline, too: a prompt, or a line that is under way.
    return this.#rest === '' ? lines : [...lines, this.#rest];
  }

  #read(): string {
    try {
      const fd = openSync(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        if (fstatSync(fd).size < this.#offset) this.#offset = 0;
        const buffer = Buffer.alloc(chunkBytes);
        const read = readSync(fd, buffer, 0, chunkBytes, this.#offset);
        this.#offset += read;
        return buffer.toString('utf8', 0, read);
      } finally {
        closeSync(fd);
      }
    } catch {
      return '';
    }
  }
}

/** Looks at a small file now and whenever it changes. */
function untilFileHas(path: string, test: (text: string) => boolean, isReady: () => void): Watching {
  let isDone = false;
  let watcher: ReturnType<typeof watch> | null = null;
  const look = () => {
    if (isDone) return;
    if (!test(readSmall(path))) return;
    isDone = true;
    watcher?.close();
    isReady();
  };
  try {
    watcher = watch(path, { persistent: false }, look);
    watcher.on('error', () => {});
  } catch {
    // No inotify to be had, or no file yet.
    return repeat(async () => {
      look();
      return isDone;
    });
  }
  setImmediate(look);
  return {
    close() {
      isDone = true;
      watcher?.close();
    },
  };
}

function readSmall(path: string): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(chunkBytes);
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, chunkBytes, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** Configs that are code, `stead.config.js` and the like: run in a process of their own, never in this one and never by the daemon. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { descendants } from '../../metrics/forest.ts';
import { SteadError } from '../../protocol/errors.ts';

/** A config that has not said what it exports by then never will. */
const usualTimeoutMs = 20_000;
const lastBytesMs = 500;
const mostBytes = 64 * 1024 * 1024;

export interface EvaluateOptions {
  /** Given to a function that is exported. */
  readonly profile?: string | null;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Where evaluate.cjs lies, if neither beside nor above this bundle. */
  readonly evaluator?: string;
}

/** Names of files that are run for what they export. */
export const isCode = (file: string): boolean => /\.(?:[cm]?[jt]s)$/.test(file);

/**
 * What a JS or TS module exports, as JSON has it: `module.exports`, `export default`, or its names; functions are called with `{env, profile}`, promises awaited. What
 * it prints goes to stderr. Throws CONFIG_INVALID when it throws, ends, or takes too long.
 */
export async function evaluateConfig(file: string, options: EvaluateOptions = {}): Promise<unknown> {
  const {
    profile = null,
    env = process.env,
    timeoutMs = usualTimeoutMs,
    evaluator = besideOrAbove('evaluate.cjs'),
    signal,
  } = options;
  signal?.throwIfAborted();
  const words = [evaluator, file, profile ?? '', jitiPath()];
  const child = spawn(process.execPath, words, {
    cwd: dirname(file),
    env,
    // Standard output is this command's answer.
    stdio: ['ignore', 2, 2, 'pipe'],
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const onAbort = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const { answer, end } = await answerOf(child);
    signal?.throwIfAborted();
    if (answer !== null) return exportedIn(file, answer);
    throw invalid(
      file,
      isLate ? `it has not ended after ${timeoutMs / 1000} s` : `it ended ${end} before it had said what it exports`,
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    endWithChildren(child);
    child.stdio[3]?.destroy();
  }
}

/** Where the build put it: beside this bundle, or above it. */
function besideOrAbove(name: string): string {
  const beside = join(__dirname, name);
  return existsSync(beside) ? beside : join(__dirname, '..', name);
}

function exportedIn(file: string, answer: string): unknown {
  const parsed = parsedAnswer(answer);
  if (parsed === null) throw invalid(file, 'it has written to descriptor 3, over which it is asked');
  if (parsed.error !== undefined) throw invalid(file, parsed.error);
  if (parsed.value === undefined) throw invalid(file, 'it exports nothing');
  return parsed.value;
}

function parsedAnswer(answer: string): { readonly value?: unknown; readonly error?: string } | null {
  try {
    return JSON.parse(answer) as { readonly value?: unknown; readonly error?: string };
  } catch {
    return null;
  }
}

/** What it has started would hold what it inherited, this command's output for one. */
function endWithChildren({ pid }: ChildProcess): void {
  for (const each of pid === undefined ? [] : descendants(pid)) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // Gone.
    }
  }
}

interface Answer {
  /** A line of JSON; null: it ended without one, as `end` says. */
  readonly answer: string | null;
  readonly end: string;
}

/** Not `close` is waited for: what the config has started may hold the pipe open. */
function answerOf(child: ChildProcess): Promise<Answer> {
  const pipe = child.stdio[3] as Readable;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    pipe.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (chunk.at(-1) === 10) resolve({ answer: Buffer.concat(chunks).toString(), end: '' });
      else if (size > mostBytes) resolve({ answer: null, end: `after ${mostBytes} bytes` });
    });
    child.once('exit', (code, signal) => {
      const end = { answer: null, end: signal === null ? `with exit code ${code}` : `by ${signal}` };
      // What it has written may still be in the pipe.
      if (pipe.readableEnded) return resolve(end);
      const timer = setTimeout(() => resolve(end), lastBytesMs);
      pipe.once('end', () => {
        clearTimeout(timer);
        resolve(end);
      });
    });
  });
}

/** For TypeScript; '' where the package was not installed with what it depends on. */
function jitiPath(): string {
  try {
    return require.resolve('jiti');
  } catch {
    return '';
  }
}

const invalid = (file: string, what: string): SteadError =>
  new SteadError('CONFIG_INVALID', `${JSON.stringify(basename(file))} can't be used: ${what}`, {
    hint: 'nothing was changed',
  });

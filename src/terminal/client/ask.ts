/** One question to the pty host, by whoever is not attached: what a session shows, to type something, to wait for something. */
import { pause } from '../../host/pause.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { ProtocolError } from '../frames.ts';
import type { HostMessage } from '../frames-messages.ts';
import {
  type Answer,
  type Captured,
  type CaptureQuestion,
  maxSentBytes,
  type Question,
  type Shape,
  type Waited,
} from '../frames-questions.ts';
import { Connection, misunderstood, noHost, refused } from './connection.ts';
import type { Place } from './link.ts';

/** A program that reads nothing of a megabyte for so long. */
const fullPatienceMs = 30_000;
const fullPauseMs = 50;
/** For all but `wait`: the host answers at once. */
const answerPatienceMs = 10_000;
/** After a burst the screen may be 100 MB behind its log, on a busy machine half a minute. */
const capturePatienceMs = 60_000;

/** The screen as text, or its last lines with those above it. */
export async function capture(
  place: Place,
  what: Omit<CaptureQuestion, 'what'>,
  signal?: AbortSignal,
): Promise<Captured> {
  const answer = await ask(place, { what: 'capture', ...what }, { patienceMs: capturePatienceMs, signal });
  return answer.what === 'capture' ? answer : unfit(answer);
}

/** Types bytes of any length; resolves when the program's terminal has them, or the host's queue. */
export async function send(place: Place, bytes: Buffer, signal?: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length; at += maxSentBytes) {
    await sendPiece(place, bytes.subarray(at, at + maxSentBytes), signal);
  }
}

/** What the host has no room for waits until the program has read more. */
async function sendPiece(place: Place, bytes: Buffer, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + fullPatienceMs;
  for (;;) {
    try {
      const answer = await ask(place, { what: 'send', bytes }, { patienceMs: answerPatienceMs, signal });
      if (answer.what !== 'send') unfit(answer);
      return;
    } catch (error) {
      const isFull = error instanceof SteadError && (error.code as string) === 'FULL';
      if (!isFull || performance.now() > deadline) throw error;
    }
    await pause(fullPauseMs, signal);
  }
}

/** Waits for a line that matches (RE2's syntax), or with null for the session's end. Rejects with TIMED_OUT after `timeoutMs`; null: waits for ever. */
export async function waitFor(
  place: Place,
  { pattern, flags, timeoutMs }: { pattern: string | null; flags: string; timeoutMs: number | null },
  signal?: AbortSignal,
): Promise<Waited> {
  const answer = await ask(place, { what: 'wait', pattern, flags }, { patienceMs: timeoutMs, signal });
  return answer.what === 'wait' ? answer : unfit(answer);
}

export async function shapeOfSession(place: Place, signal?: AbortSignal): Promise<Shape> {
  const answer = await ask(place, { what: 'size' }, { patienceMs: answerPatienceMs, signal });
  return answer.what === 'size' ? answer : unfit(answer);
}

type WithoutPlace<T> = T extends unknown ? Omit<T, 'id' | 'session'> : never;

/** By a connection of its own: whoever no longer wants the answer hangs up. */
async function ask(
  { socket, session }: Place,
  question: WithoutPlace<Question>,
  { patienceMs, signal }: { readonly patienceMs: number | null; readonly signal: AbortSignal | undefined },
): Promise<Answer> {
  const connection = await Connection.open(socket);
  const timer = { late: undefined as NodeJS.Timeout | undefined };
  let onAbort = () => {};
  try {
    return await new Promise<Answer>((resolve, reject) => {
      signal?.throwIfAborted();
      onAbort = () => reject(signal!.reason);
      signal?.addEventListener('abort', onAbort);
      if (patienceMs !== null) timer.late = setTimeout(() => reject(tooLate(session, patienceMs)), patienceMs);
      connection.listen(new Answering(resolve, reject));
      connection.send({ type: 'question', question: { id: 1, session, ...question } as Question });
    });
  } finally {
    clearTimeout(timer.late);
    signal?.removeEventListener('abort', onAbort);
    connection.close();
  }
}

/** Puts an answer's parts together. */
class Answering {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  #parts = '';

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onMessage(message: HostMessage): void {
    if (message.type === 'error') this.#reject(refused(message.error));
    else if (message.type !== 'answer') this.#reject(misunderstood(new Error(`it answered with "${message.type}"`)));
    else if (message.answer.what === 'part') this.#parts += message.answer.text;
    else if (message.answer.what !== 'capture') this.#resolve(message.answer);
    else this.#resolve({ ...message.answer, text: this.#parts + message.answer.text });
  }

  onClose(problem: ProtocolError | null): void {
    this.#reject(problem ? misunderstood(problem) : noHost('ended before it answered'));
  }
}

const unfit = ({ what }: Answer): never => {
  throw misunderstood(new Error(`it answered with "${what}"`));
};

const tooLate = (session: string, patienceMs: number): SteadError =>
  new SteadError('TIMED_OUT', `No answer about "${session}" within ${patienceMs / 1000} s`);

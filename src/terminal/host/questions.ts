/** Answers what is asked of a session by who is not attached to it. */
import type { Answer, Question } from '../frames-questions.ts';
import type { Session } from './session.ts';
import { Waiter } from './waiter.ts';

/** Of what was sent and is not taken by the program. */
const mostTypedBytes = 1024 * 1024;

/** A question that can't be answered; `code` is for programs. */
export class Unanswerable extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'Unanswerable';
    this.code = code;
  }
}

export interface Asking {
  readonly answer: Promise<Answer>;
  /** Nobody waits for it any more. */
  cancel(): void;
}

type Of<What extends Question['what']> = Extract<Question, { what: What }>;

/** The answer is rejected with an Unanswerable. */
export function ask(session: Session, question: Question): Asking {
  switch (question.what) {
    case 'capture':
      return { answer: capture(session, question), cancel() {} };
    case 'send':
      return { answer: send(session, question), cancel() {} };
    case 'wait':
      return wait(session, question);
    case 'size':
      return { answer: shapeOf(session, question), cancel() {} };
  }
}

async function capture(session: Session, { id, ansi, lines }: Of<'capture'>): Promise<Answer> {
  await session.caughtUp();
  return new Promise((resolve) => {
    session.atRest(() => {
      const { screen, exit } = session;
      const { cursor, title, alternate, size } = screen;
      resolve({ id, what: 'capture', text: screen.capture({ ansi, lines }), ...size, cursor, title, alternate, exit });
    });
  });
}

async function shapeOf(session: Session, { id }: Of<'size'>): Promise<Answer> {
  await session.caughtUp();
  return { id, what: 'size', ...session.size, applicationCursor: session.screen.applicationCursor };
}

async function send(session: Session, { id, bytes }: Of<'send'>): Promise<Answer> {
  if (session.exit || session.master === null)
    throw new Unanswerable('NOT_RUNNING', `the program of ${session.key} has ended`);
  if (session.typedBytes + bytes.length > mostTypedBytes)
    throw new Unanswerable('FULL', `the program of ${session.key} does not read what is typed`);
  session.type(bytes);
  return { id, what: 'send', written: bytes.length };
}

function wait(session: Session, { id, pattern, flags }: Of<'wait'>): Asking {
  const waiter = pattern === null ? null : makeWaiter(pattern, flags);
  let done: (answer: Answer) => void = () => {};
  const answer = new Promise<Answer>((resolve) => {
    done = resolve;
  });
  const finish = (matched: boolean) => {
    session.watchers.delete(watcher);
    done({ id, what: 'wait', matched, line: waiter?.line ?? null, exit: session.exit });
  };
  const watcher = {
    saw(bytes: Buffer) {
      waiter?.saw(bytes);
      if (waiter && waiter.line !== null) finish(true);
    },
    settled() {
      if (!session.isOpen) return finish(false);
      waiter?.look(session.screen.capture({ ansi: false, lines: null }));
      if (waiter && waiter.line !== null) finish(true);
      else if (session.exit) finish(false);
    },
  };
  session.watchers.add(watcher);
  session.caughtUp().then(() => session.atRest(() => session.watchers.has(watcher) && watcher.settled()));
  return { answer, cancel: () => session.watchers.delete(watcher) };
}

function makeWaiter(pattern: string, flags: string): Waiter {
  try {
    return new Waiter(pattern, flags);
  } catch (error) {
    throw new Unanswerable('BAD_PATTERN', `${JSON.stringify(pattern)} is no pattern: ${(error as Error).message}`);
  }
}

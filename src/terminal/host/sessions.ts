/** The sessions of a home, by their keys, and what the daemon orders of them. */
import { closeSync } from 'node:fs';
import { giveBackMemory } from '../../host/memory.ts';
import type { ControlRequest, SessionRun, SessionView, TakeOrder } from '../control-messages.ts';
import type { MakeScreen } from './screen-type.ts';
import { Session } from './session.ts';

/** Several changes at once are told once. */
const tellMs = 50;
/** After the last session that was forgotten: a screen is a MB or two. */
const tidyMs = 3000;

/** What can't be done; `code` is for the daemon. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.code = code;
  }
}

export interface SessionsOptions {
  readonly makeScreen: MakeScreen;
  /** A session is another than it was. */
  changed(view: SessionView): void;
  failed(error: unknown): void;
}

type Of<Do extends ControlRequest['do']> = Extract<ControlRequest, { do: Do }>;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #changed = new Set<Session>();
  #timer: NodeJS.Timeout | null = null;
  #tidyTimer: NodeJS.Timeout | null = null;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  get views(): SessionView[] {
    return [...this.#sessions.values()].map(({ view }) => view);
  }

  find(key: string): Session | null {
    return this.#sessions.get(key) ?? null;
  }

  /** Runs that go on, with their masters, which stay theirs. */
  masters(): { readonly of: SessionRun; readonly master: number }[] {
    return [...this.#sessions.values()].flatMap(({ key, run, master }) =>
      master === null ? [] : [{ of: { session: key, run }, master }],
    );
  }

  /** `master` is the session's from now on, or closed. Throws Refused, and the system's errors. */
  take(order: TakeOrder, master: number | null): void {
    const session = this.find(order.session);
    if (session && session.run >= order.run) this.#takeAgain(session, order, master);
    else if (session) session.goOn(order, master);
    else {
      const options = { ...this.#options, changed: (each: Session) => this.#tellSoon(each) };
      this.#sessions.set(order.session, new Session(order, master, options));
    }
  }

  async ended(order: Of<'ended'>): Promise<void> {
    const session = this.#need(order.session);
    if (session.run !== order.run) throw new Refused('NO_RUN', `${order.session} is at run ${session.run}`);
    await session.ended(order);
  }

  forget(key: string): void {
    const session = this.find(key);
    this.#sessions.delete(key);
    if (session) this.#changed.delete(session);
    session?.close();
    if (session) this.#tidySoon();
  }

  rename({ from, to }: Of<'rename'>): void {
    const session = this.#need(from);
    if (this.#sessions.has(to)) throw new Refused('NAME_TAKEN', `there is a session "${to}"`);
    this.#sessions.delete(from);
    session.key = to;
    this.#sessions.set(to, session);
  }

  resize({ session, cols, rows }: Of<'resize'>): void {
    this.#need(session).setSize({ cols, rows });
  }

  /** Something was taken somewhere, perhaps. */
  flush(): void {
    for (const session of this.#sessions.values()) session.flush();
  }

  save(): void {
    for (const session of this.#sessions.values()) session.save();
  }

  #takeAgain(session: Session, order: TakeOrder, master: number | null): void {
    if (master !== null) closeSync(master);
    if (session.run > order.run) throw new Refused('NO_RUN', `${order.session} is at run ${session.run}`);
    if (order.exit && !session.exit)
      session.ended({ ...order, exit: order.exit, goesOn: false }).catch(this.#options.failed);
  }

  #need(key: string): Session {
    return this.find(key) ?? refuse('NO_SESSION', `there is no session "${key}"`);
  }

  #tidySoon(): void {
    this.#tidyTimer ??= setTimeout(() => giveBackMemory().catch(this.#options.failed), tidyMs).unref();
    this.#tidyTimer.refresh();
  }

  #tellSoon(session: Session): void {
    this.#changed.add(session);
    this.#timer ??= setTimeout(() => this.#tell(), tellMs);
  }

  #tell(): void {
    this.#timer = null;
    for (const session of this.#changed) this.#options.changed(session.view);
    this.#changed.clear();
  }
}

function refuse(code: string, message: string): never {
  throw new Refused(code, message);
}

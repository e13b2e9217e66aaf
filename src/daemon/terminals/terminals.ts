/**
 * The terminals of all instances that have one. A terminal's master is held by the program's launcher, by the pty host, and here; what the host needs to go on after
 * its death it gets from here, what this daemon needs after its own from the host, or from the launchers where the kernel permits that.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { mkfifo, pidfdGetfd, pidfdOpen } from '../../host/native.ts';
import { openPty } from '../../host/pty.ts';
import type { LaunchTerminal } from '../../launcher/launch.ts';
import { readLogStart } from '../../launcher/records.ts';
import { logFiles } from '../../logs/layout.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { SessionView, TakeOrder } from '../../terminal/control-messages.ts';
import type { SessionExit } from '../../terminal/frames-messages.ts';
import type { HostLink } from '../../terminal/host-link.ts';
import { clientSocket } from '../../terminal/places.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { needsNative } from '../needs-native.ts';
import { HostProcess } from './host-process.ts';

/** A host may have megabytes to read again; longer than it takes to start one. */
const reachPatienceMs = 15_000;
/** The launcher's fd for the master. */
const launcherMaster = 8;

/** Hosts that end one after the other are no accident. */
const mostHosts = 10;
const goneMs = 20;

/** By the name: its class is loaded with the first host. */
const isGone = (error: unknown): boolean => (error as { readonly code?: unknown } | null)?.code === 'HOST_GONE';

interface Session {
  readonly order: TakeOrder;
  /** This process's; null: it is not to be had, or not needed any more. */
  master: number | null;
  /** What the host was told of its end. */
  ended: { readonly exit: SessionExit; readonly goesOn: boolean } | null;
  /** What the host told last. */
  view: SessionView | null;
}

export const sessionName = ({ app, index }: Pick<Instance, 'app' | 'index'>): string => `${app.name}:${index}`;

export class Terminals {
  readonly #daemon: Daemon;
  readonly #host: HostProcess;
  readonly #sessions = new Map<string, Session>();

  constructor(daemon: Daemon, library: string) {
    this.#daemon = daemon;
    this.#host = new HostProcess({
      home: daemon.home,
      library,
      log: daemon.log,
      connected: (link) => this.#connected(link),
      lost: () => this.#lost(),
    });
  }

  /** For a run that is about to be launched. The slave and the FIFO are the caller's to close, the master stays here. Throws UNSUPPORTED, HOME_UNSAFE, NoPtyLeft. */
  open(instance: Instance, run: number, logFrom: number): LaunchTerminal {
    const { spec } = instance.app;
    this.#host.prepare();
    const before = this.#sessions.get(sessionName(instance));
    if (before !== undefined) this.#end(instance, before, { goesOn: true });
    const { cols, rows } = before?.view ?? spec.tty!;
    const { master, slave } = needsNative('a terminal', () =>
      openPty({ cols, rows, ...(spec.user !== null && { owner: spec.user }) }),
    );
    try {
      const path = join(instance.runDirectory(run), 'output');
      mkfifo(path, 0o600);
      const output = openSync(path, 'r+');
      const order = orderOf(instance, { run, logFrom, isNew: true, cols, rows });
      this.#sessions.set(sessionName(instance), { order, master, ended: null, view: before?.view ?? null });
      this.#ask('take', (link) => link.take(order, master));
      return { master, slave, output };
    } catch (error) {
      for (const fd of [master, slave]) closeSync(fd);
      throw error;
    }
  }

  /** Its state is another one: a run that is over has all its output in the log, and who is attached is told. */
  follow(instance: Instance): void {
    const session = this.#sessions.get(sessionName(instance));
    const { state } = instance.model;
    if (session === undefined || ('run' in state && state.run >= session.order.run)) return;
    this.#end(instance, session, { goesOn: ['backoff', 'waiting', 'starting'].includes(state.name) });
  }

  #end(instance: Instance, session: Session, { goesOn }: { readonly goesOn: boolean }): void {
    const { run } = session.order;
    if (session.ended !== null && (session.ended.goesOn === goesOn || !session.ended.goesOn)) return;
    const exit = exitOf(instance, run);
    session.ended = { exit, goesOn };
    const { session: name } = session.order;
    const told = this.#persist(async (link) => {
      // One that has come in the place of the last does not know it yet, and its last output waits in the terminal.
      if (session.master !== null) await link.take({ ...session.order, isNew: false }, session.master);
      await link.ended({ session: name, run, exit, goesOn });
    });
    void told
      .catch((error: Error) => this.#say('ended', error))
      .then(() => {
        this.#release(session);
        // The last piece of its output has a time of its own.
        this.#daemon.logs.look(instance);
      });
  }

  #release(session: Session): void {
    if (session.master !== null) closeSync(session.master);
    session.master = null;
  }

  /** Its app is no more. */
  forget(name: string): void {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    this.#sessions.delete(name);
    this.#ask('forget', async (link) => {
      await link.forget(name);
      this.#release(session);
    });
  }

  /** Its app had another name until now. */
  rename(from: string, { instances }: App): void {
    for (const instance of instances) {
      const [old, name] = [`${from}:${instance.index}`, sessionName(instance)];
      const session = this.#sessions.get(old);
      if (session === undefined) continue;
      const { runDirectory, log } = orderOf(instance, session.order);
      this.#sessions.delete(old);
      this.#sessions.set(name, { ...session, order: { ...session.order, session: name, runDirectory, log } });
      this.#ask('rename', (link) => link.rename(old, name));
    }
  }

  has(instance: Instance): boolean {
    return this.#sessions.has(sessionName(instance));
  }

  viewOf(instance: Instance): SessionView | null {
    const session = this.#sessions.get(sessionName(instance));
    if (session === undefined) return null;
    const { session: name, run, cols, rows } = session.order;
    return session.view ?? { session: name, run, cols, rows, clients: 0, title: '' };
  }

  /** Where clients find the session; the host has it then. Throws NO_TERMINAL for an instance that never had one. */
  async reach(instance: Instance): Promise<{ readonly socket: string; readonly session: string }> {
    const name = sessionName(instance);
    const session = this.#sessions.get(name) ?? this.#restore(instance);
    await withinPatience(this.#persist((link) => link.take(takeOf(session), session.master)));
    return { socket: clientSocket(this.#daemon.home), session: name };
  }

  /** A run that was over before this daemon began: what it left is on disk. */
  #restore(instance: Instance): Session {
    const { app } = instance;
    const { run } = instance.model;
    if (run === 0 || !existsSync(join(instance.runDirectory(run), 'output')))
      throw new SteadError('NO_TERMINAL', `"${app.name}" has not run with a terminal yet.`, {
        hint: `stead start ${app.name}`,
      });
    const session = sessionOf(instance, run);
    session.ended = { exit: exitOf(instance, run), goesOn: false };
    this.#sessions.set(session.order.session, session);
    return session;
  }

  /** After a restart of the daemon: what runs is taken up again, by the host that is there or by another one. */
  async recover(): Promise<void> {
    for (const { instances } of this.#daemon.apps.values())
      for (const instance of instances) {
        const { state, run } = instance.model;
        if (!('run' in state) || !existsSync(join(instance.runDirectory(run), 'output'))) continue;
        this.#sessions.set(sessionName(instance), sessionOf(instance, run));
      }
    if (this.#sessions.size === 0) return;
    if ((await this.#host.existing()) === null) await this.#host.link();
  }

  async #connected(link: HostLink): Promise<void> {
    link.onSession = (view) => {
      const session = this.#sessions.get(view.session);
      if (session?.order.run === view.run) session.view = view;
    };
    const lacking = [...this.#sessions.values()].filter(({ master, ended }) => master === null && ended === null);
    if (lacking.length > 0) await this.#takeMastersBack(link, lacking);
    for (const session of this.#sessions.values()) {
      if (session.ended !== null && !session.ended.goesOn) continue;
      // Not awaited: one that does not answer keeps none of the others.
      link.take(takeOf(session), session.master).catch((error: Error) => this.#say('take', error));
    }
  }

  /** From the host that has them; else from the launchers, as far as the kernel lets one process look into another. */
  async #takeMastersBack(link: HostLink, lacking: readonly Session[]): Promise<void> {
    const found = await link.masters();
    for (const session of lacking) {
      const { session: name, run } = session.order;
      const key = `${name} ${run}`;
      session.master = found.get(key) ?? this.#fromLauncher(name);
      found.delete(key);
    }
    for (const fd of found.values()) closeSync(fd);
  }

  #fromLauncher(name: string): number | null {
    const at = name.lastIndexOf(':');
    const app = this.#daemon.apps.get(name.slice(0, at));
    const launcher = app?.instances.find(({ index }) => index === Number(name.slice(at + 1)))?.launcher;
    if (launcher === null || launcher === undefined) return null;
    try {
      const pidfd = pidfdOpen(launcher.pid);
      try {
        return pidfdGetfd(pidfd, launcherMaster);
      } finally {
        closeSync(pidfd);
      }
    } catch (error) {
      this.#daemon.log(
        `${name}: its terminal can't be taken back (${(error as Error).message}): it runs on, and nobody sees what it prints until stead restart`,
      );
      return null;
    }
  }

  /** This daemon ends: a host that serves nobody is not left behind. */
  end(): void {
    if (!this.#isNeeded) this.#host.quit();
  }

  get #isNeeded(): boolean {
    return [...this.#sessions.values()].some(({ ended }) => ended === null || ended.goesOn);
  }

  #lost(): void {
    if (!this.#isNeeded) return;
    this.#daemon.log('the pty host is gone: another one goes on');
    this.#host.link().catch((error: Error) => this.#say('link', error));
  }

  /** Asks the host; one that dies over it is followed by another one. */
  async #persist(ask: (link: HostLink) => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(await this.#host.link());
      } catch (error) {
        if (!isGone(error) || tries === mostHosts) throw error;
      }
      // Its end is noticed with the next event.
      await new Promise((resolve) => setTimeout(resolve, goneMs));
    }
  }

  #ask(what: string, ask: (link: HostLink) => Promise<void>): void {
    this.#persist(ask).catch((error: Error) => this.#say(what, error));
  }

  #say(what: string, error: Error): void {
    this.#daemon.log(`terminals: ${what}: ${error.message}`);
  }
}

/** A host that does not answer keeps no command waiting. */
async function withinPatience(answer: Promise<void>): Promise<void> {
  const late = Symbol('late');
  const timer = { id: undefined as NodeJS.Timeout | undefined };
  const patience = new Promise<typeof late>((resolve) => {
    timer.id = setTimeout(() => resolve(late), reachPatienceMs);
  });
  const first = await Promise.race([answer, patience]).finally(() => clearTimeout(timer.id));
  if (first === late)
    throw new SteadError(
      'TIMED_OUT',
      `The process that serves terminals has not answered for ${reachPatienceMs / 1000} s.`,
      {
        hint: 'is it stopped? its pid is in terminals/host.json of the home; another one comes when it is killed, and no program notices',
      },
    );
}

interface Begun {
  readonly run: number;
  readonly logFrom: number;
  readonly isNew: boolean;
  readonly cols: number;
  readonly rows: number;
}

function orderOf(instance: Instance, begun: Begun): TakeOrder {
  const { app, index } = instance;
  const { resize, scrollback } = app.spec.tty ?? { resize: 'latest', scrollback: 1000 };
  return {
    ...begun,
    session: sessionName(instance),
    runDirectory: instance.runDirectory(begun.run),
    log: logFiles(app.daemon.home, app.name, index, app.spec.log).out,
    resize,
    scrollback,
  };
}

/** Of a run that is on record. */
function sessionOf(instance: Instance, run: number): Session {
  const { cols, rows } = instance.app.spec.tty ?? { cols: 80, rows: 24 };
  const logFrom = readLogStart(instance.runDirectory(run)).out;
  return {
    order: orderOf(instance, { run, logFrom, isNew: false, cols, rows }),
    master: null,
    ended: null,
    view: null,
  };
}

/** What was new once is not when it is taken up again. */
const takeOf = ({ order, ended, view }: Session): TakeOrder => ({
  ...order,
  ...(view !== null && { cols: view.cols, rows: view.rows }),
  isNew: false,
  ...(ended !== null && !ended.goesOn && { exit: ended.exit }),
});

function exitOf({ lastExit }: Instance, run: number): SessionExit {
  if (lastExit?.run !== run) return { code: null, signal: null, reason: null };
  const { code, signal, reason } = lastExit;
  return { code, signal, reason };
}

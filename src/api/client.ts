/** What `connect()` gives: a method per command, each one request, or an iteration over what comes. */
import { act } from '../client/act.ts';
import { reachTerminal } from '../client/reach-terminal.ts';
import { selectApps } from '../client/select-apps.ts';
import { sendInput } from '../client/send-input.ts';
import { isDaemonDown } from '../client/unreachable.ts';
import { untilDaemonStopped } from '../client/until-stopped.ts';
import { waitForEnd } from '../client/wait-for-end.ts';
import type { ActionResult, EventView, RouteName } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { capture, waitFor } from '../terminal/client/ask.ts';
import { applyRequest, configOf } from './apply.ts';
import type { Asking } from './asking.ts';
import { eventsOf } from './events.ts';
import { listed, programsOf, spokenOf } from './inputs.ts';
import { Iteration } from './iteration.ts';
import { linesOf } from './logs.ts';
import { metricsOf } from './metrics.ts';
import { appOptions } from './options.ts';
import { allApplied, allDone, allStarted } from './results.ts';
import { TerminalSession } from './terminal-session.ts';
import type * as api from './types.ts';

type Acting = Extract<
  RouteName,
  'stop' | 'restart' | 'reload' | 'scale' | 'delete' | 'signal' | 'set' | 'rename' | 'reset' | 'flush'
>;

export class Client implements api.Stead {
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  get home(): string {
    return this.#asking.home;
  }

  async start(target: api.Target, options: api.StartOptions = {}) {
    const { args = [], wait = true, autostart, signal } = options;
    const body = {
      ...programsOf(target, args),
      options: appOptions({ ...options }),
      caller: this.#asking.caller,
      isHeld: autostart === false,
      wait,
    };
    return allStarted(await this.#asking.act(signal, 'start', { body }));
  }

  async run(command: string | readonly string[], options: api.RunOptions = {}) {
    const body = { command: listed(command), options: appOptions({ ...options }), caller: this.#asking.caller };
    return this.#asking.act(options.signal, 'run', { body });
  }

  async apply(config: string | readonly string[] | api.Config, options: api.ApplyOptions = {}) {
    return this.#asking.during(options.signal, async (signal) => {
      const loaded = await configOf(config, options, signal);
      const body = applyRequest(loaded, options, this.#asking.caller);
      const answer = await act(this.home, 'apply', { body, ...this.#asking.within(signal) });
      return allApplied({ ...answer, notes: [...loaded.notes, ...answer.notes] });
    });
  }

  async adopt(pid: number, options: api.AppOptions & api.Cancellable = {}) {
    const body = { pid, options: appOptions({ ...options }), caller: this.#asking.asker };
    return this.#asking.act(options.signal, 'adopt', { body });
  }

  async list(select?: api.Selectors, { signal }: api.Cancellable = {}) {
    const apps = await this.#asking.read(signal, 'list');
    return select === undefined ? apps : selectApps(apps, listed(select)).map(({ app }) => app);
  }

  async show(sel: string, { signal, showEnv = false }: api.Cancellable & { readonly showEnv?: boolean } = {}) {
    return this.#asking.read(signal, 'show', { params: { sel }, query: showEnv ? { showEnv: '1' } : {} });
  }

  async why(sel: string, { signal }: api.Cancellable = {}) {
    return this.#asking.read(signal, 'why', { params: { sel } });
  }

  async metrics(select?: api.Selectors, options: api.Cancellable = {}) {
    const apps = await this.list(select, options);
    return apps.map((app) => metricsOf(app, Date.now()));
  }

  stop(select: api.Selectors, options: api.ActOptions = {}) {
    return this.#actOn('stop', select, options);
  }

  async restart(select: api.Selectors, options: api.RestartOptions = {}) {
    const updateEnv = options.updateEnv === true ? this.#asking.caller : null;
    return this.#actOn('restart', select, options, { updateEnv });
  }

  async reload(select: api.Selectors, options: api.ReloadOptions = {}) {
    const { parallel = 1, canary = null, step: then = 'begin' } = options;
    const updateEnv = options.updateEnv === true ? this.#asking.caller : null;
    return this.#actOn('reload', select, options, { parallel, canary, then, updateEnv });
  }

  scale(select: api.Selectors, to: number | string, options: api.ActOptions = {}) {
    return this.#actOn('scale', select, options, { to: String(to) });
  }

  delete(select: api.Selectors, options: api.DeleteOptions = {}) {
    const { purge = false, leaveRunning = false } = options;
    return this.#actOn('delete', select, options, { purge, leaveRunning });
  }

  signal(select: api.Selectors, signal: string | number, options: api.Cancellable = {}) {
    return this.#actOn('signal', select, options, { signal: String(signal) });
  }

  set(select: api.Selectors, settings: api.AppOptions, options: api.Cancellable = {}) {
    return this.#change(select, { set: appOptions({ ...settings }), unset: [] }, options);
  }

  unset(select: api.Selectors, names: readonly string[], options: api.Cancellable = {}) {
    return this.#change(select, { set: {}, unset: names }, options);
  }

  rename(select: string, to: string, options: api.Cancellable = {}) {
    return this.#actOn('rename', select, options, { to });
  }

  reset(select: api.Selectors, options: api.Cancellable = {}) {
    return this.#actOn('reset', select, options);
  }

  flush(select: api.Selectors, options: api.Cancellable = {}) {
    return this.#actOn('flush', select, options);
  }

  async wait(select: api.Selectors, { signal: outer, timeoutMs }: api.WaitOptions = {}) {
    const { results, timedOut } = await this.#asking.during(outer, (signal) =>
      waitForEnd(this.home, { select: listed(select), timeoutMs: timeoutMs ?? null }, this.#asking.within(signal)),
    );
    if (!timedOut) return results;
    throw new SteadError('TIMED_OUT', `Still going after ${(timeoutMs ?? 0) / 1000} s.`, { details: { results } });
  }

  async waitForLine(select: string, pattern: string, { signal, timeoutMs }: api.WaitOptions = {}) {
    return this.#asking.during(signal, async (inner) => {
      const terminal = await this.#reach(select, inner);
      const seen = await waitFor(terminal, { pattern, flags: '', timeoutMs: timeoutMs ?? null }, inner);
      return { matched: seen.matched, line: seen.line, exit: seen.exit };
    });
  }

  events({ select, after, follow = true, signal }: api.EventsOptions = {}): AsyncIterableIterator<EventView> {
    return new Iteration(
      () => this.#asking.lifetimes.begin(signal),
      (inner) => eventsOf(this.#asking, { select, after: after ?? null, follow, signal: inner }),
      { isEager: follow },
    );
  }

  logs(select: api.Selectors = 'all', options: api.LogsOptions = {}) {
    return new Iteration(
      () => this.#asking.lifetimes.begin(options.signal),
      (signal) => linesOf(this.home, { select: listed(select), options, signal }),
    );
  }

  async attach(select: string, options: api.AttachOptions = {}): Promise<api.Session> {
    const lifetime = this.#asking.lifetimes.begin(options.signal);
    try {
      await this.#asking.begun(lifetime.signal);
      const terminal = await this.#reach(select, lifetime.signal);
      const reconnect = () => this.#reach(`${terminal.id}`, lifetime.signal);
      const session = new TerminalSession(terminal, options, { lifetime, reconnect });
      await session.open();
      return session;
    } catch (error) {
      lifetime.end();
      throw error;
    }
  }

  async send(select: string, input: api.Input, { signal: outer }: api.Cancellable = {}) {
    const spoken = spokenOf(input);
    await this.#asking.during(outer, async (signal) => {
      const where = await act(this.home, 'attach', { body: { select: [select] }, ...this.#asking.within(signal) });
      await sendInput(where, spoken, signal);
    });
  }

  async capture(select: string, { ansi = false, lines, signal: outer }: api.CaptureOptions = {}) {
    return this.#asking.during(outer, async (signal) => {
      const seen = await capture(await this.#reach(select, signal), { ansi, lines: lines ?? null }, signal);
      const { text, cols, rows, cursor, title, alternate, exit } = seen;
      return { text, cols, rows, cursor, title, alternate, exit };
    });
  }

  async daemonStatus({ signal }: api.Cancellable = {}) {
    const { home } = this;
    const nobody = { running: false, pid: null, guardian: null, version: null, protocol: null, home };
    try {
      return await this.#asking.during(signal, (inner) => this.#asking.status(inner));
    } catch (error) {
      if (isDaemonDown(error)) return { ...nobody, since: null, memory: null };
      throw error;
    }
  }

  async daemonStop({ signal: outer }: api.Cancellable = {}) {
    await this.#asking.during(outer, async (signal) => {
      const { pid } = await this.#asking.stop(signal);
      await untilDaemonStopped(this.home, pid, signal);
    });
  }

  async close() {
    await this.#asking.lifetimes.close();
  }

  async #actOn(
    route: Acting,
    select: api.Selectors,
    { signal, wait = true }: api.ActOptions,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<readonly ActionResult[]> {
    const body = { select: listed(select), caller: this.#asking.asker, wait, ...more };
    return allDone(await this.#asking.act(signal, route, { body }));
  }

  #change(select: api.Selectors, change: Readonly<Record<string, unknown>>, { signal }: api.Cancellable) {
    const caller = { ...this.#asking.asker, cwd: process.cwd() };
    return this.#actOn('set', select, { ...(signal && { signal }) }, { ...change, caller });
  }

  #reach(select: string, signal: AbortSignal) {
    return reachTerminal(this.home, select, this.#asking.within(signal));
  }
}

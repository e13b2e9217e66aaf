/** What one `stead-pm2` command works with: the line, the home, and the processes as they are. */
import { act } from '../../client/act.ts';
import { captureCaller, whoAsks } from '../../client/caller.ts';
import type { RequestOptions } from '../../client/http.ts';
import { escapeControls } from '../../host/bytes.ts';
import type { ActionResult, AppDetail, AppView, Caller } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { sayError } from '../failure.ts';
import { print, say } from '../output.ts';
import { readApps } from '../reading.ts';
import { Book } from './book.ts';
import type { Pm2Line } from './line.ts';
import { type Process, processesOf } from './processes.ts';
import { type Meant, meantApps, selectProcesses } from './select.ts';

export class Session {
  readonly home: string;
  readonly line: Pm2Line;
  readonly cwd = process.cwd();
  readonly env = process.env;
  apps: readonly AppView[] = [];
  book: Book;
  /** Of the command: 1 once something has failed. */
  code = 0;

  private constructor(home: string, line: Pm2Line, apps: readonly AppView[]) {
    this.home = home;
    this.line = line;
    this.apps = apps;
    this.book = Book.open(home, apps);
  }

  static async open(home: string, line: Pm2Line): Promise<Session> {
    return new Session(home, line, await readApps(home));
  }

  /** After something was done. */
  async look(): Promise<void> {
    this.apps = await readApps(this.home);
    this.book = Book.open(this.home, this.apps);
  }

  get processes(): readonly Process[] {
    return processesOf(this.apps, this.book);
  }

  get isSilent(): boolean {
    return this.line.own.silent === true;
  }

  own(name: string): string | undefined {
    const value = this.line.own[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** As pm2 does, unless it shall be silent. */
  tell(text: string): void {
    if (!this.isSilent) print(`[PM2] ${escapeControls(text)}`);
  }

  warn(text: string): void {
    if (!this.isSilent) say(`[PM2][WARN] ${escapeControls(text)}`);
  }

  fail(error: { readonly message: string; readonly hint?: string | undefined }): void {
    sayError(error);
    this.code = 1;
  }

  /** Of the words, or of the given ones. Throws USAGE for none. */
  meant(words: readonly string[] = this.line.words): readonly Meant[] {
    if (words.length === 0)
      throw new SteadError('USAGE', 'Which process? A number, a name, a namespace, a /regular expression/ or all', {
        hint: 'stead-pm2 list',
      });
    return meantApps(selectProcesses(this.processes, words));
  }

  /** The caller of this command, without what `--filter-env` leaves out. */
  caller(): Caller {
    const caller = captureCaller();
    const filtered = (this.line.own['filter-env'] ?? []) as readonly string[];
    const nameOf = (entry: string) => entry.slice(0, entry.indexOf('='));
    return { ...caller, env: caller.env.filter((entry) => !filtered.some((part) => nameOf(entry).includes(part))) };
  }

  /** Asks for something to be done to apps, and tells what became of each. */
  async act(
    route: 'stop' | 'restart' | 'reload' | 'delete' | 'signal' | 'reset' | 'flush' | 'scale' | 'set',
    select: readonly string[],
    body: Readonly<Record<string, unknown>> = {},
  ): Promise<readonly ActionResult[]> {
    const options: RequestOptions = { body: { select, caller: whoAsks(), wait: true, ...body } };
    const { results } = await act(this.home, route, options);
    for (const { error, notes = [], early, app } of results) {
      for (const note of notes) this.warn(note);
      if (error !== null) this.fail(error);
      else if (early) this.warn(`${app.name} ended at once: ${early.exit.reason}`);
    }
    return results;
  }

  /** One after the other. */
  reload(select: readonly string[], updateEnv: Caller | null): Promise<readonly ActionResult[]> {
    const then = 'begin';
    return this.act('reload', select, { parallel: 1, canary: null, then, updateEnv });
  }

  detail(name: string): Promise<AppDetail> {
    return act(this.home, 'show', { params: { sel: name }, query: { showEnv: '1' } });
  }
}

/** The daemon's connection: its orders, and what is told to it. */
import { closeSync } from 'node:fs';
import { errnoOf } from '../../host/files.ts';
import { type ControlRequest, resizePolicies, type SessionView } from '../control-messages.ts';
import { count, type Fields, flag, nested, optional, parseExit, parseSize, text, wrong } from '../frames-fields.ts';
import { type Line, LineChannel } from '../line-channel.ts';
import { Refused, type Sessions } from './sessions.ts';

export class ControlConnection {
  readonly #channel: LineChannel;
  readonly #sessions: Sessions;
  readonly #quit: () => void;

  /** Of a connected socket that does not block. */
  constructor(fd: number, sessions: Sessions, { closed, quit }: { closed(): void; quit(): void }) {
    this.#sessions = sessions;
    this.#quit = quit;
    this.#channel = new LineChannel(fd, { line: (line, given) => this.#take(line, given), closed });
  }

  tell(view: SessionView): void {
    this.#channel.send({ event: 'session', ...view });
  }

  close(): void {
    this.#channel.close();
  }

  #take(line: Line, fd: number | null): void {
    const { id } = line;
    this.#perform(line, fd).then(
      (answer) => this.#channel.send({ id, ok: true, ...answer }),
      (error: Error) => this.#channel.send({ id, ok: false, error: { code: codeOf(error), message: error.message } }),
    );
  }

  async #perform(line: Line, fd: number | null): Promise<object> {
    const request = parseOrClose(line, fd);
    switch (request.do) {
      case 'take':
        this.#sessions.take(request, fd);
        return {};
      case 'ended':
        await this.#sessions.ended(request);
        return {};
      case 'forget':
        this.#sessions.forget(request.session);
        return {};
      case 'masters':
        return this.#masters();
      case 'rename':
        this.#sessions.rename(request);
        return {};
      case 'resize':
        this.#sessions.resize(request);
        return {};
      case 'list':
        return { sessions: this.#sessions.views };
      case 'quit':
        this.#quit();
        return {};
    }
  }

  /** The descriptors follow the answer. */
  #masters(): object {
    const found = this.#sessions.masters();
    setImmediate(() => {
      for (const { of, master } of found) this.#sendMaster(of, master);
    });
    return { masters: found.map(({ of }) => of) };
  }

  #sendMaster(of: object, master: number): void {
    try {
      this.#channel.send({ master: of }, master);
    } catch {
      // It was closed meanwhile: its line comes without.
      this.#channel.send({ master: of });
    }
  }
}

/** Every error leaves `fd` closed. */
function parseOrClose(line: Line, fd: number | null): ControlRequest {
  try {
    const request = parseRequest(line);
    if (fd !== null && request.do !== 'take') closeSync(fd);
    return request;
  } catch (error) {
    if (fd !== null) closeSync(fd);
    throw error;
  }
}

function parseRequest(line: Fields): ControlRequest {
  switch (line.do) {
    case 'take':
      return { do: 'take', ...parseTake(line) };
    case 'ended':
      return { do: 'ended', ...parseRun(line), exit: parseExit(nested(line, 'exit')), goesOn: flag(line, 'goesOn') };
    case 'forget':
      return { do: 'forget', session: text(line, 'session') };
    case 'masters':
      return { do: 'masters' };
    case 'rename':
      return { do: 'rename', from: text(line, 'from'), to: text(line, 'to') };
    case 'resize':
      return { do: 'resize', session: text(line, 'session'), ...parseSize(line) };
    case 'list':
    case 'quit':
      return { do: line.do };
    default:
      return wrong('do', line.do);
  }
}

const parseRun = (line: Fields) => ({ session: text(line, 'session'), run: count(line, 'run') });

const parseTake = (line: Fields) => ({
  ...parseRun(line),
  ...parseSize(line),
  runDirectory: text(line, 'runDirectory'),
  log: text(line, 'log'),
  logFrom: count(line, 'logFrom'),
  resize: resizePolicies.find((policy) => policy === line.resize) ?? wrong('resize', line.resize),
  scrollback: count(line, 'scrollback'),
  isNew: flag(line, 'isNew'),
  exit: optional(line, 'exit', (fields, name) => parseExit(nested(fields, name))) ?? undefined,
});

function codeOf(error: Error): string {
  if (error instanceof Refused) return error.code;
  return errnoOf(error) || (error.name === 'ProtocolError' ? 'PROTOCOL' : 'FAULT');
}

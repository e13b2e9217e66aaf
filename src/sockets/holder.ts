/**
 * Starts, watches, ends holders (`holder.sh`), and takes the sockets back out of one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { encodeBytes } from '../host/bytes.ts';
import { isScarce } from '../host/fds.ts';
import { pidfdGetfd, pidfdOpen } from '../host/native.ts';
import { isAlive, type ProcessId, processStat, signalProcess } from '../host/process.ts';
import { isSocketOf } from './bind.ts';
import { receiveBack } from './receive-back.ts';
import {
  type HeldFd,
  type Holder,
  nextGeneration,
  readSockets,
  recordSockets,
  removeRecords,
  tellHolder,
} from './records.ts';

/** Making a record is a matter of milliseconds, on a machine that swaps of seconds. */
const startPatienceMs = 10_000;
/** After that a holder is killed, which harms nothing: who ends it has the sockets, or wants them gone. */
const endPatienceMs = 2000;
/** How often a holder is looked at whose end nothing tells. */
const lookMs = 1000;
/** Open files that watched holders leave to all else. */
const reservedFds = 40;
const firstFd = 3;

export interface HolderPrograms {
  readonly shell: string;
  /** holder.sh. */
  readonly script: string;
  readonly node: string;
  /** share.cjs. */
  readonly share: string;
}

export interface KeyedSocket {
  readonly key: string;
  readonly fd: number;
}

export interface StartOptions extends HolderPrograms {
  /** The app's, where its record is made. */
  readonly directory: string;
  readonly sockets: readonly KeyedSocket[];
}

export interface StartedHolder extends Holder {
  /** Resolves when it is no more, however it ended. */
  readonly gone: Promise<void>;
  /** Gives that up: this process may end. */
  close(): void;
}

/** Resolves when its record is there: from then on the sockets outlive this process. Rejects if it can't be started. */
export async function startHolder({ directory, sockets, ...programs }: StartOptions): Promise<StartedHolder> {
  const generation = nextGeneration(directory);
  const held = sockets.map(({ key }, at) => ({ key, fd: firstFd + at }));
  recordSockets(directory, generation, held);
  try {
    const child = spawnHolder(directory, generation, { held, sockets, ...programs });
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const id = await recorded(child);
    return { directory, generation, id, gone, close: () => child.unref() };
  } catch (error) {
    removeRecords(directory, generation);
    throw error;
  }
}

interface Spawning extends HolderPrograms {
  readonly held: readonly HeldFd[];
  readonly sockets: readonly KeyedSocket[];
}

function spawnHolder(
  directory: string,
  generation: number,
  { shell, script, node, share, held, sockets }: Spawning,
): ChildProcess {
  const mapping = held.map(({ fd, key }) => `${fd}=${encodeKey(key)}`);
  const child = spawn(shell, [script, directory, String(generation), node, share, ...mapping], {
    detached: true,
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', ...sockets.map(({ fd }) => fd)],
  });
  return child;
}

/** As encodeURIComponent has it, of any bytes. */
function encodeKey(key: string): string {
  const percent = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...encodeBytes(key)]
    .map((byte) => (/[\w.!~*'()-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percent(byte)))
    .join('');
}

/** Its stdout ends when it has made its record, or died before. */
function recorded(child: ChildProcess): Promise<ProcessId> {
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`a holder can't be started: ${said.trim() || why}`));
    };
    const timer = setTimeout(() => fail(`no record of it within ${startPatienceMs / 1000} s`), startPatienceMs);
    child.once('error', (error) => fail(error.message));
    // Not before all that it said is there.
    child.once('close', (code, signal) => fail(`it ended with ${signal ?? code}`));
    child.stdout!.resume().once('close', () => {
      const stat = processStat(child.pid!);
      if (stat === null || !isAlive({ pid: child.pid!, startTicks: stat.startTicks })) return;
      clearTimeout(timer);
      resolve({ pid: child.pid!, startTicks: stat.startTicks });
    });
  });
}

/** Resolves when a holder that was found is no more; `close` gives that up. */
export function watchHolder({ id }: Holder): { readonly gone: Promise<void>; close(): void } {
  const pipe = openPipe(id);
  if (pipe !== null)
    return { gone: new Promise((resolve) => pipe.once('close', resolve)), close: () => pipe.destroy() };
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<void>((resolve) => {
    const look = () => {
      if (isAlive(id)) timer = setTimeout(look, lookMs);
      else resolve();
    };
    look();
  });
  return { gone, close: () => clearTimeout(timer) };
}

/** The pipe on its fd 1, both ends of which are the holder's alone; null: it is gone, it has no pipe there (bash before 5.1), or files are short. */
function openPipe(id: ProcessId): Socket | null {
  let fd: number;
  try {
    fd = openSync(`/proc/${id.pid}/fd/1`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if (isScarce(reservedFds) || !fstatSync(fd).isFIFO() || !isAlive(id)) {
    closeSync(fd);
    return null;
  }
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on('error', () => {});
  return pipe.resume();
}

/** Ends a holder: asked, then killed. Resolves when it is gone, and its records with it. */
export async function endHolder(holder: Holder): Promise<void> {
  const { gone, close } = watchHolder(holder);
  const kill = setTimeout(() => signalProcess(holder.id, 'SIGKILL'), tellHolder(holder, 'end') ? endPatienceMs : 0);
  await gone;
  clearTimeout(kill);
  close();
  removeRecords(holder.directory, holder.generation);
}

export interface TakeOptions extends Pick<HolderPrograms, 'node' | 'share'> {
  /** As where it is not permitted to take them (Yama): for tests. */
  readonly mustAsk?: boolean;
  /** Is told which way they came. */
  readonly log?: (line: string) => void;
}

/** Duplicates of a holder's sockets, those that still are what their keys name. Where it is forbidden to take them, the holder is asked. Never rejects. */
export async function takeBack(holder: Holder, options: TakeOptions): Promise<Map<string, number>> {
  const sockets = readSockets(holder);
  const { pid } = holder.id;
  const taken = options.mustAsk || process.env.STEAD_HOLDER_ASK ? 'told not to' : takeOut(holder, sockets);
  if (typeof taken !== 'string') {
    options.log?.(`${taken.size} of ${sockets.length} held sockets were taken out of the holder, pid ${pid}`);
    return taken;
  }
  const received = await receiveBack(holder, { count: sockets.length, ...options });
  const how = `came from the holder, pid ${pid}, which was asked, as they can't be taken out of it`;
  options.log?.(`${received.size} of ${sockets.length} held sockets ${how}: ${taken}`);
  return received;
}

/** Or why that can't be: not permitted, or not to be had on this machine. */
function takeOut({ id }: Holder, sockets: readonly HeldFd[]): Map<string, number> | string {
  const taken = new Map<string, number>();
  let pidfd: number | null = null;
  try {
    pidfd = pidfdOpen(id.pid);
    // The pid may have been another's when it was opened.
    if (!isAlive(id)) return taken;
    for (const { fd, key } of sockets) keepIfValid(taken, key, pidfdGetfd(pidfd, fd));
    return taken;
  } catch (error) {
    for (const fd of taken.values()) closeSync(fd);
    return (error as Error).message;
  } finally {
    if (pidfd !== null) closeSync(pidfd);
  }
}

function keepIfValid(taken: Map<string, number>, key: string, fd: number): void {
  if (!taken.has(key) && isSocketOf(key, fd)) taken.set(key, fd);
  else closeSync(fd);
}

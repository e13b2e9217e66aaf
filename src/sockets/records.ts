/**
 * What an app's directory says of its holders:
 *
 *   sockets.GENERATION.json          made by the daemon before a holder is started: {"format": 1, "sockets": [{"fd": 3, "key": "tcp:*:5000"}]}
 *   holder.GENERATION.PID.START      made by the holder once it has the sockets: the FIFO that it reads from
 *
 * Each change of the set is a generation of its own. Who removes a `sockets` file of which no holder is on record makes that generation never happen.
 */
import { closeSync, constants, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, readIfThere, replaceFile } from '../host/files.ts';
import { isAlive, type ProcessId } from '../host/process.ts';

export interface Holder {
  readonly directory: string;
  readonly generation: number;
  readonly id: ProcessId;
}

export interface HeldFd {
  /** The holder's. */
  readonly fd: number;
  readonly key: string;
}

const format = 1;

export const recordOf = ({ directory, generation, id }: Holder): string =>
  join(directory, `holder.${generation}.${id.pid}.${id.startTicks}`);

const socketsFile = (directory: string, generation: number): string => join(directory, `sockets.${generation}.json`);

/** Holders on record that live, the newest generation first. Records of dead ones are removed. */
export function findHolders(directory: string): Holder[] {
  const recorded = namesIn(directory).flatMap((name) => parseRecord(directory, name) ?? []);
  for (const { generation, id } of recorded) if (!isAlive(id)) removeRecords(directory, generation);
  return recorded.filter(({ id }) => isAlive(id)).sort((one, other) => other.generation - one.generation);
}

/**
 * Makes generations that have no holder on record never have one: a daemon that is gone may have been about to start it. Not while this one starts one. Who
 * makes its record meanwhile is found afterwards, or finds that its file is gone.
 */
export function fenceHolders(directory: string): void {
  const names = namesIn(directory);
  const recorded = new Set(names.map((name) => parseRecord(directory, name)?.generation));
  for (const generation of names.flatMap(parseSockets))
    if (!recorded.has(generation)) rmSync(socketsFile(directory, generation), { force: true });
}

/** Higher than that of any holder that is or was, also where nothing tells of it any more: milliseconds since the epoch, or more where the clock was put back. */
export function nextGeneration(directory: string): number {
  const names = namesIn(directory);
  const used = names.flatMap((name) => [...parseSockets(name), parseRecord(directory, name)?.generation ?? 0]);
  return Math.max(Date.now(), ...used.map((generation) => generation + 1));
}

export function recordSockets(directory: string, generation: number, sockets: readonly HeldFd[]): void {
  replaceFile(socketsFile(directory, generation), `${JSON.stringify({ format, sockets })}\n`);
}

/** What a holder has; empty if that can't be known. */
export function readSockets({ directory, generation }: Pick<Holder, 'directory' | 'generation'>): HeldFd[] {
  try {
    const content = JSON.parse(readIfThere(socketsFile(directory, generation)) ?? '{}');
    if (content.format !== format || !Array.isArray(content.sockets)) return [];
    return content.sockets.filter(isHeldFd);
  } catch {
    return [];
  }
}

/** Of a holder that is gone, or never came. */
export function removeRecords(directory: string, generation: number): void {
  rmSync(socketsFile(directory, generation), { force: true });
  for (const name of namesIn(directory))
    if (parseRecord(directory, name)?.generation === generation) rmSync(join(directory, name), { force: true });
}

/** A line for a holder; false if nobody reads it. Also where its directory is gone, as long as it lives. */
export function tellHolder(holder: Holder, line: string): boolean {
  return [recordOf(holder), `/proc/${holder.id.pid}/fd/0`].some((path) => isAlive(holder.id) && writeLine(path, line));
}

function writeLine(path: string, line: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    writeSync(fd, `${line}\n`);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function parseRecord(directory: string, name: string): Holder | null {
  const match = /^holder\.(\d+)\.(\d+)\.(\d+)$/.exec(name);
  if (match === null) return null;
  const [generation, pid, startTicks] = match.slice(1).map(Number) as [number, number, number];
  return { directory, generation, id: { pid, startTicks } };
}

function parseSockets(name: string): number[] {
  const match = /^sockets\.(\d+)\.json$/.exec(name);
  return match === null ? [] : [Number(match[1])];
}

function isHeldFd(value: unknown): value is HeldFd {
  const { fd, key } = (value ?? {}) as Partial<HeldFd>;
  return Number.isInteger(fd) && typeof key === 'string';
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A dump: all apps of a home in one file, which brings them up again on this machine or another. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from '../config/file/stanza.ts';
import { replaceFile } from '../host/files.ts';
import type { ConfigApp, DumpedApp } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { loadApps } from '../storage/apps.ts';

/** Raised when a reader of this version could not read it any more. */
const dumpFormat = 1;

export interface Dump {
  readonly stead: 'dump';
  readonly format: number;
  readonly version: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly apps: readonly DumpedApp[];
}

export const usualDump = (home: string): string => join(home, 'dump.json');

export interface DumpOptions {
  readonly version: string;
  /** Without the environment that each was started from. */
  readonly isBare: boolean;
}

/** From disk, daemon or not. Jobs that are over are no matter of tomorrow; those with a schedule are. */
export function makeDump(home: string, { version, isBare }: DumpOptions): Dump {
  const { apps } = loadApps(home, { mend: false });
  return {
    stead: 'dump',
    format: dumpFormat,
    version,
    createdAt: new Date().toISOString(),
    apps: apps
      .filter(({ spec, state }) => state.want !== 'deleted' && (spec.kind === 'app' || spec.schedule !== null))
      .map(({ spec, state }) => ({
        name: spec.name,
        app: configApp(spec),
        file: spec.origin,
        isWanted: state.want === 'running',
        cwd: spec.cwd,
        ...spec.inherited,
        env: isBare ? null : spec.env,
      })),
  };
}

function configApp({ kind, program, options }: AppSpec): ConfigApp {
  const [first = '', ...rest] = program.words;
  const command = commandOf(program);
  return command === null
    ? { kind, script: first, command: [], args: rest, options }
    : { kind, script: null, command, args: [], options };
}

/** For its owner alone: it has the environment. The file before is kept beside it. */
export function writeDump(file: string, dump: Dump): void {
  replaceFile(file, `${JSON.stringify(dump, null, 2)}\n`, { durable: true, keepPrevious: true });
}

export interface ReadDump {
  readonly dump: Dump;
  /** The file was broken: this is the one before. */
  readonly isPrevious: boolean;
}

/** Throws CONFIG_NOT_FOUND, CONFIG_INVALID, and VERSION_SKEW for one of a later version. */
export function readDump(file: string): ReadDump {
  if (!existsSync(file) && !existsSync(`${file}.prev`))
    throw new SteadError('CONFIG_NOT_FOUND', `There is no dump ${JSON.stringify(file)}`, { hint: 'stead dump' });
  try {
    return { dump: parseDump(readFileSync(file, 'utf8'), file), isPrevious: false };
  } catch (error) {
    if (error instanceof SteadError && error.code === 'VERSION_SKEW') throw error;
    if (!existsSync(`${file}.prev`)) throw broken(file, error);
    return { dump: parseDump(readFileSync(`${file}.prev`, 'utf8'), file), isPrevious: true };
  }
}

export function parseDump(text: string, file: string): Dump {
  try {
    const dump = JSON.parse(text) as Partial<Dump> | null;
    if (dump?.stead !== 'dump' || typeof dump.format !== 'number' || !Array.isArray(dump.apps))
      throw new Error('it is no dump of stead');
    if (dump.format > dumpFormat)
      throw new SteadError(
        'VERSION_SKEW',
        `${JSON.stringify(file)} was written by stead ${dump.version}, a later one`,
        {
          hint: 'install that version, or a later one',
        },
      );
    return dump as Dump;
  } catch (error) {
    throw error instanceof SteadError ? error : broken(file, error);
  }
}

function broken(file: string, error: unknown): SteadError {
  if (error instanceof SteadError) return error;
  return new SteadError('CONFIG_INVALID', `${JSON.stringify(file)} can't be read: ${(error as Error).message}`, {
    hint: 'nothing was changed',
  });
}

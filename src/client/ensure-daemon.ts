/**
 * Starts the daemon of a home: from a copy of itself in the home, so that no update, `npx` or deleted checkout touches what runs; through a guardian, in a
 * session of its own, with nothing of the caller's: environment, directory, fds.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
} from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { closeInheritedFds } from '../host/fds.ts';
import { errnoOf, isReadOnly, readIfThere, replaceFile } from '../host/files.ts';
import { socketAddress } from '../host/home.ts';
import { SteadError } from '../protocol/errors.ts';
import { prepareHome, unusable } from '../storage/home.ts';
import { daemonNotes } from './daemon-notes.ts';
import { installNative } from './install-native.ts';
import { logoutSentence, whatLogoutDoes } from './login.ts';
import { startUnit } from './start-unit.ts';

const startTimeoutMs = 15_000;
/** Besides the events of the home's directory, for file systems that have none. */
const lookMs = 100;
/** systemd waits for half a second before it starts a daemon again. */
const unitMs = 5000;
/** Nobody answers after so long: perhaps the one that had the lock is gone. */
const tryAgainMs = 1000;

/** This process starts the daemon itself, and again when it dies: it is only waited for. */
export const isKeptByUs = { current: false };

/** Resolves when a daemon answers, this one's or another's that was faster. Throws HOME_UNSAFE, HOME_UNUSABLE, DAEMON_UNREACHABLE. */
export async function ensureDaemon(home: string): Promise<void> {
  prepareHome(home);
  const library = installLibrary(home);
  closeInheritedFds();
  const unit = startUnit(home);
  const deadline = Date.now() + startTimeoutMs;
  const arrival = new Arrival(home);
  try {
    for (let nextTry = unit === 'no' ? 0 : Date.now() + unitMs; !(await answers(home)); ) {
      if (Date.now() > deadline) throw unreachable(home, `it did not answer within ${startTimeoutMs / 1000} s`);
      // One that finds the lock taken goes at once; and the one that had it may have been at its end.
      if (Date.now() >= nextTry && !isKeptByUs.current) {
        if (nextTry === 0) warnOfLogout();
        spawnGuardian(home, library);
        nextTry = Date.now() + tryAgainMs;
      }
      await arrival.next();
    }
  } finally {
    arrival.close();
  }
}

/** The home, and in it what a daemon runs: for whoever starts it. The errors of `prepareHome`, and DISK. */
export function prepareLibrary(home: string): string {
  prepareHome(home);
  return installLibrary(home);
}

/** The parts of the daemon, copied to `lib/<version>-<build>/` of a home. Returns that directory. */
export function installLibrary(home: string): string {
  const library = installScripts(home);
  installNative(library);
  recordChoice(home, library);
  return library;
}

/**
 * What a unit of systemd, or a line of a crontab, runs from now on: this build, by this Node. `unit.sh` has a place of its own, so that they need not change.
 * On a full or read-only disk what was recorded before goes on to hold, and a daemon starts all the same.
 */
function recordChoice(home: string, library: string): void {
  try {
    const script = readFileSync(join(library, 'unit.sh'), 'utf8');
    const files = { 'unit.sh': script, node: `${process.execPath}\n`, current: `${basename(library)}\n` };
    for (const [name, text] of Object.entries(files)) {
      const path = join(home, 'lib', name);
      if (readIfThere(path) !== text) replaceFile(path, text);
    }
  } catch {
    // As said.
  }
}

function installScripts(home: string): string {
  const source = sourceDirectory();
  const { version, id, files } = JSON.parse(readFileSync(join(source, 'build.json'), 'utf8'));
  const target = join(home, 'lib', `${version}-${id}`);
  if (existsSync(target)) return target;
  const beside = `${target}.${process.pid}`;
  try {
    mkdirSync(beside, { recursive: true, mode: 0o700 });
    for (const file of [...files, 'build.json']) {
      copyFileSync(join(source, file), join(beside, file));
      chmodSync(join(beside, file), 0o600);
    }
    renameSync(beside, target);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (existsSync(target)) return target;
    if (isReadOnly(home)) throw unusable(home, error);
    throw new SteadError('DISK', `The daemon can't be copied to "${target}": ${(error as Error).message}.`, {
      hint: errnoOf(error) === 'ENOSPC' ? 'make room: df -h' : 'look at the home',
    });
  }
  return target;
}

/** Where the build put the daemon: beside this bundle, or above it. */
function sourceDirectory(): string {
  return existsSync(join(__dirname, 'build.json')) ? __dirname : join(__dirname, '..');
}

/** All that the daemon gets of the caller's environment. */
const keptVariables = ['PATH', 'HOME', 'USER', 'LANG', 'STEAD_SHELL', 'STEAD_NO_CGROUP'];

export function daemonEnvironment(home: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { STEAD_HOME: home };
  for (const name of keptVariables) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

/**
 * Forked twice: a command that is given by a program of another home is that program's child, and the daemon must not be found in its tree. Where the end of
 * this login would take it along, in a scope of the user's own systemd that outlives that.
 */
function spawnGuardian(home: string, library: string): void {
  const words = [join(library, 'guardian.sh'), 'start', home, process.execPath, join(library, 'daemon.cjs')];
  const plain = ['/usr/bin/setsid', '-f', '/bin/sh', ...words];
  const inScope = ['systemd-run', '--user', '--scope', '--quiet', '--property=Delegate=yes', '--', ...plain];
  if (whatLogoutDoes() !== 'stays in a scope') spawnDetached(home, plain);
  else spawnDetached(home, inScope, () => spawnDetached(home, plain));
}

function spawnDetached(home: string, [command, ...words]: readonly string[], otherwise?: () => void): void {
  const log = openDaemonLog(home);
  try {
    const { XDG_RUNTIME_DIR } = process.env;
    const child = spawn(command!, words, {
      detached: true,
      cwd: '/',
      // To reach the user's systemd.
      env: { ...daemonEnvironment(home), ...(otherwise && XDG_RUNTIME_DIR && { XDG_RUNTIME_DIR }) },
      stdio: ['ignore', log, log],
    });
    child.once('error', (error) => (otherwise ? otherwise() : process.emitWarning(error)));
    child.once('exit', (code) => code !== 0 && otherwise?.());
    child.unref();
  } finally {
    closeSync(log);
  }
}

function openDaemonLog(home: string): number {
  try {
    return openSync(join(home, 'daemon.log'), 'a', 0o600);
  } catch (error) {
    throw unusable(home, error);
  }
}

/** Whether somebody accepts on the home's socket. */
export async function answers(home: string): Promise<boolean> {
  const address = socketAddress(home);
  try {
    return await new Promise((resolve) => {
      const socket = connect(address.path);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  } finally {
    address.close();
  }
}

/** Once, by the command that starts the daemon. */
function warnOfLogout(): void {
  const sentence = logoutSentence(whatLogoutDoes());
  if (sentence !== null) daemonNotes.tell(sentence);
}

/** Wakes when a name in the home changes. */
class Arrival {
  #wake: (() => void) | null = null;
  #watcher: ReturnType<typeof watch> | null = null;

  constructor(home: string) {
    try {
      this.#watcher = watch(home, (_, name) => name === 'stead.sock' && this.#wake?.());
      this.#watcher.on('error', () => {});
    } catch {
      // No inotify to be had: it looks again by time.
    }
  }

  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lookMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}

function unreachable(home: string, why: string): SteadError {
  return new SteadError('DAEMON_UNREACHABLE', `The daemon of "${home}" does not start: ${why}.${lastLogLine(home)}`, {
    hint: 'stead daemon logs, or in the foreground: stead daemon run',
  });
}

function lastLogLine(home: string): string {
  try {
    const line = readFileSync(join(home, 'daemon.log'), 'utf8').trimEnd().split('\n').at(-1);
    return line ? ` It said last: ${line}` : '';
  } catch {
    return '';
  }
}

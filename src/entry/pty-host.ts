/** The pty host's entry, run by the daemon: `node pty-host.cjs HOME`. Says `ready`, or `taken` where another one is there, on its stdout, which it then closes. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { closeInheritedFds } from '../host/fds.ts';
import { replaceFile } from '../host/files.ts';
import { startHost } from '../terminal/host/main.ts';
import { Screen } from '../terminal/screen/screen.ts';

const [home] = process.argv.slice(2);
if (!home) {
  process.stderr.write('usage: pty-host.cjs HOME (the daemon starts it)\n');
  process.exit(2);
}
closeInheritedFds();
process.on('uncaughtException', (error) => {
  say(`fault: ${error.stack}`);
  process.exit(70);
});
// A daemon, a terminal, a client that is gone: none of them ends this process.
process.on('SIGHUP', () => {});
process.on('SIGPIPE', () => {});

const host = startHost({
  home,
  makeScreen: (options) => new Screen(options),
  log: say,
  over: () => finish(),
});
if (host) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => finish());
// Who it is, and of which build: nothing is signalled by it.
const about = join(home, 'terminals', 'host.json');
if (host) sayWhoItIs();
writeSync(1, host ? 'ready\n' : 'taken\n');
// Whoever read that need not be there any more; its number stays in use.
closeSync(1);
openSync('/dev/null', 'w');
if (!host) process.exit(0);

/** Not on a full disk, where terminals are served all the same. */
function sayWhoItIs(): void {
  try {
    replaceFile(about, `${JSON.stringify({ pid: process.pid, library: __dirname })}\n`);
  } catch (error) {
    say(`${about} not written: ${(error as Error).message}`);
  }
}

function finish(): void {
  rmSync(about, { force: true });
  host?.close();
  process.exit(0);
}

/** On stderr, which the daemon leads to its log. */
function say(line: string): void {
  try {
    writeSync(2, `${new Date().toISOString()} pty host: ${line}\n`);
  } catch {
    // There is nobody to tell.
  }
}

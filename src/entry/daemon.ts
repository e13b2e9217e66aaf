/** The daemon's entry, run by guardian.sh: `node daemon.cjs HOME GUARDIAN_PID`. */

import { buildBeside, logLine, runDaemon } from '../daemon/main.ts';
import { closeInheritedFds } from '../host/fds.ts';

const [home, guardian] = process.argv.slice(2);
if (!home) {
  process.stderr.write('usage: daemon.cjs HOME GUARDIAN_PID (use: stead daemon run)\n');
  process.exit(2);
}
closeInheritedFds();
// Node's options are a matter of the caller's, not of what this daemon starts.
delete process.env.NODE_OPTIONS;
process.on('uncaughtException', (error) => {
  logLine(`fault: ${error.stack}`);
  process.exit(70);
});
runDaemon({
  home,
  guardian: Number(guardian) > 0 ? Number(guardian) : null,
  version: buildBeside(__filename).version,
  library: __dirname,
  env: process.env,
  exit: (code) => process.exit(code),
}).catch((error) => {
  logLine(`cannot start: ${error.stack}`);
  process.exit(71);
});

/**
 * While an app goes over, its services wait: systemd starts them, as their socket has connections, and a command before the program holds them back until the last
 * process of stead's has ended. So there are never two copies, and no moment is lost. The daemon ends the wait, so
 * that it need not be this command. If that dies before, the services fail, and stead's copy runs on.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shellLine } from '../../foreign/systemd/writing/exec.ts';
import type { Keeper } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';

const longestSec = 600;
const lookSec = '0.03';
const dropIn = '50-stead-handoff.conf';

export interface Gate {
  /** For whose end the services wait. */
  readonly file: string;
  open(): void;
  /** From the next reload of systemd on the units are as they are written; what waits goes on waiting. */
  forget(): void;
}

/** Drop-ins that are gone after a reboot. systemd has to reload. */
export function closeGate({ scope, services, sockets }: Keeper): Gate {
  const runtime = scope === 'system' ? '/run' : (process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid!()}`);
  const file = join(runtime, `stead-handoff.${process.pid}`);
  const wait = `while [ -e '${file}' ]; do [ -d /proc/${process.pid} ] || exit 1; sleep ${lookSec}; done`;
  const texts = [
    // With all rights, whatever the program is kept from.
    ...services.map(
      (name) => [name, `[Service]\nExecStartPre=+${shellLine(wait)}\nTimeoutStartSec=${longestSec}\n`] as const,
    ),
    // So that it can be bound beside stead's.
    ...sockets.map((name) => [name, '[Socket]\nReusePort=yes\n'] as const),
  ];
  const directories = texts.map(([name]) => join(runtime, 'systemd', scope, `${name}.d`));
  const forget = () => {
    for (const directory of directories) rmSync(join(directory, dropIn), { force: true });
  };
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    for (const [at, [, text]] of texts.entries()) {
      mkdirSync(directories[at]!, { recursive: true });
      writeFileSync(join(directories[at]!, dropIn), text);
    }
  } catch (error) {
    forget();
    rmSync(file, { force: true });
    throw new SteadError('DISK', `${runtime} takes no files: ${(error as Error).message}.`, {
      hint: `df -h ${runtime}`,
    });
  }
  return {
    file,
    open: () => rmSync(file, { force: true }),
    forget,
  };
}

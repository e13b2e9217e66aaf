/** As PID 1 of a container a process inherits every orphan in it, and must wait for each: Node waits for the children that it started alone. */
import { native } from './native.ts';

const allProcesses = 0;
const noHang = 1;
const exited = 4;
const noWait = 0x0100_0000;
/** Of siginfo_t, on 64 bit. */
const siginfoBytes = 128;
const pidOffset = 16;
/** A child of Node's own stands before them in the queue until Node has seen it. */
const againMs = 50;

/** Reaps orphans from now on; `isOwn` tells which children Node waits for itself. Throws NativeMissing. */
export function reapOrphans(isOwn: (pid: number) => boolean): void {
  native();
  const reap = () => {
    for (let pid = nextZombie(); pid !== 0; pid = nextZombie()) {
      if (isOwn(pid)) {
        setTimeout(reap, againMs).unref();
        return;
      }
      native().libc.waitpid(pid, null, noHang);
    }
  };
  process.on('SIGCHLD', () => setImmediate(reap));
  reap();
}

/** 0: there is none. */
function nextZombie(): number {
  const info = Buffer.alloc(siginfoBytes);
  if (Number(native().libc.waitid(allProcesses, 0, info, exited | noHang | noWait)) < 0) return 0;
  return info.readInt32LE(pidOffset);
}

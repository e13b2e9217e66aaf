import { readFileSync } from 'node:fs';

/** How often the kernel's OOM killer struck, by /proc/vmstat (Linux 4.13): a count of the whole machine, so a hint and no proof. */
export class OomCount {
  #last = read();

  /** Since it was asked last. */
  hasStruck(): boolean {
    const now = read();
    const has = now > this.#last;
    this.#last = now;
    return has;
  }
}

function read(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

import { join } from 'node:path';
import { type Holder, tellHolder } from './records.ts';
import { openShareServer, type ShareHandlers, type ShareServer } from './share-server.ts';

/**
 * A Node that starts on a machine that swaps or is emulated (measured: 5 s were too few), and one connection for each socket. Longer than a command waits for a daemon is
 * too long: one holder that is stuck shall not keep all apps waiting.
 */
const patienceMs = 15_000;
/** A signal that comes while a holder reads a line makes it lose that. Then after twice as long: each line that was not lost is one more Node to wait for. */
const firstAgainMs = 2000;

export interface ReceiveOptions {
  /** How many sockets it has. */
  readonly count: number;
  readonly node: string;
  readonly share: string;
}

/** Has a holder send its sockets. What comes within 15 s is there; never rejects. */
export function receiveBack(holder: Holder, { count, node, share }: ReceiveOptions): Promise<Map<string, number>> {
  const received = new Map<string, number>();
  const path = join(holder.directory, `back.${holder.generation}.sock`);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      clearTimeout(again);
      server?.close();
      resolve(received);
    };
    const timer = setTimeout(end, patienceMs);
    const answered = new Set<string>();
    const server = open(path, {
      give: (key, fd) => {
        if (received.has(key)) return false;
        received.set(key, fd);
        return true;
      },
      ask: () => ({ reason: 'it only takes', isFinal: true }),
      gave: (key) => {
        answered.add(key);
        if (answered.size === count) end();
      },
    });
    let again: NodeJS.Timeout | undefined;
    const tell = (againMs: number) => {
      const lines = [`node ${node}`, `share ${share}`, `give ${path}`];
      if (server === null || count === 0 || !tellHolder(holder, lines.join('\n'))) end();
      else again = setTimeout(() => tell(againMs * 2), againMs);
    };
    tell(firstAgainMs);
  });
}

function open(path: string, handlers: ShareHandlers): ShareServer | null {
  try {
    return openShareServer(path, handlers);
  } catch {
    return null;
  }
}

import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { socketAddress } from '../host/home.ts';
import type { EventView } from '../protocol/api.ts';

/** How soon a daemon that went away is looked for again. */
const againMs = 200;

/** Every event with an id over `since`, in order and each once, whatever becomes of the daemon meanwhile. Does not end by itself. */
export async function followEvents(home: string, since: number, tell: (event: EventView) => void): Promise<never> {
  let last = since;
  for (;;) {
    await followOnce(home, last, (event) => {
      if (event.id <= last) return;
      last = event.id;
      tell(event);
    });
    await pause(againMs);
  }
}

/** Until the daemon goes away, or at once if there is none. */
function followOnce(home: string, since: number, tell: (event: EventView) => void): Promise<void> {
  return new Promise((resolve) => {
    let address: ReturnType<typeof socketAddress>;
    try {
      address = socketAddress(home);
    } catch {
      resolve();
      return;
    }
    const request = get(
      { socketPath: address.path, path: `/v1/events?follow=1&since=${since}`, headers: { host: 'stead' } },
      (response) => {
        address.close();
        const lines = createInterface({ input: response });
        lines.on('line', (line) => {
          if (line.startsWith('data: ')) tell(JSON.parse(line.slice('data: '.length)));
        });
        lines.once('close', resolve);
        response.once('error', () => resolve());
      },
    );
    request.once('error', () => {
      address.close();
      resolve();
    });
  });
}

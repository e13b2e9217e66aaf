import type { EventsResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { Events } from '../events.ts';
import { type Request, Streamed } from '../server.ts';

/** What a follower may be behind before it is let go: it resumes with the last id that it saw. */
const mostBehindBytes = 1024 * 1024;
const mostAtOnce = 10_000;

/**
 * `GET /v1/events?since=ID`: those that are kept with a greater id. With `follow=1` (or `Accept: text/event-stream`) a stream of server-sent events that goes on;
 * `Last-Event-ID` resumes it.
 */
export function streamEvents(events: Events, { query, headers, signal }: Request): EventsResponse | Streamed {
  const text = query.get('since') ?? headers['last-event-id'] ?? null;
  const since = text === null ? null : Number(text);
  if (since !== null && !Number.isSafeInteger(since))
    throw new SteadError('BAD_REQUEST', '"since" must be the id of an event.');
  const isStream = query.get('follow') === '1' || /\btext\/event-stream\b/.test(headers.accept ?? '');
  if (!isStream) return { events: events.since(since ?? 0).slice(-mostAtOnce) };
  return new Streamed('text/event-stream', (write, end) => {
    const send = (event: { readonly id: number; readonly type: string }) => {
      const behind = write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (behind > mostBehindBytes) end(': too slow; resume with Last-Event-ID\n\n');
    };
    // Who begins now knows from where to go on, whatever becomes of this daemon before the first event.
    write(`: stead\nid: ${since ?? events.lastId}\n\n`);
    for (const event of since === null ? [] : events.since(since)) send(event);
    signal.addEventListener('abort', events.follow(send), { once: true });
  });
}

import { pause } from '../host/pause.ts';
import type { EventView } from '../protocol/api.ts';
import { streamLines } from './stream.ts';
import { isDaemonAway } from './unreachable.ts';

/** How soon a daemon that went away is looked for again. */
const againMs = 200;

export interface FollowEvents {
  /** The id of the last event that is known; null: those that happen from now on. */
  readonly after: number | null;
  /** The first time, somebody has to answer. */
  readonly mustAnswer?: boolean;
  /** Told when the daemon has it for the first time: from then on no event is missed. */
  readonly onBegun?: () => void;
  readonly signal: AbortSignal;
}

/** Every event with a greater id, in order and each once, whatever becomes of the daemon meanwhile. Ends by the signal alone, whose reason it throws. */
export async function* followEvents(
  home: string,
  { after, mustAnswer = false, onBegun = () => {}, signal }: FollowEvents,
): AsyncGenerator<EventView> {
  let last = after;
  for (let isFirst = true; ; isFirst = false) {
    const query = { follow: '1', ...(last !== null && { since: String(last) }) };
    try {
      for await (const message of messages(streamLines(home, 'events', { query, signal }), onBegun)) {
        const event = message.data === null ? null : (JSON.parse(message.data) as EventView);
        const id = event?.id ?? message.id;
        if (id === null || (last !== null && id <= last)) continue;
        last = id;
        if (event !== null) yield event;
      }
    } catch (error) {
      if (!isDaemonAway(error) || (isFirst && mustAnswer)) throw error;
    }
    await pause(againMs, signal);
  }
}

interface Message {
  readonly id: number | null;
  readonly data: string | null;
}

/** Server-sent events; one without data says up to which id everything is known. */
async function* messages(lines: AsyncIterable<string>, onLine: () => void): AsyncGenerator<Message> {
  let id: number | null = null;
  let data: string | null = null;
  for await (const line of lines) {
    onLine();
    if (line.startsWith('id: ')) id = Number(line.slice('id: '.length));
    else if (line.startsWith('data: ')) data = line.slice('data: '.length);
    else if (line === '') {
      if (id !== null || data !== null) yield { id, data };
      id = data = null;
    }
  }
}

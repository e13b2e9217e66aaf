/**
 * What is said of each route beside its types (`answers.ts`): with them it makes docs/openapi.json and docs/reference/http.md. A route without an entry does not compile.
 */
import type { RouteName } from './api.ts';
import type { Schema } from './schema.ts';

export interface Parameter {
  readonly text: string;
  readonly schema: Schema;
  readonly isRequired?: boolean;
}

export interface RouteReference {
  readonly text: string;
  readonly query?: Readonly<Record<string, Parameter>>;
  /** The answer may go on, as server-sent events; what the data of each is: a type of `api.ts`. */
  readonly stream?: string;
}

const follow: Parameter = {
  text: '1: a stream of server-sent events that goes on; so does Accept: text/event-stream. Last-Event-ID resumes it.',
  schema: { enum: ['0', '1'] },
};
const text: Schema = { type: 'string' };
const time = (what: string): Parameter => ({
  text: `${what}: ISO 8601, or milliseconds since the epoch.`,
  schema: text,
});

export const reference: Readonly<Record<RouteName, RouteReference>> = {
  list: { text: 'All apps and jobs.' },
  show: {
    text: 'One app, whole.',
    query: { showEnv: { text: '1: variables with their values.', schema: { enum: ['0', '1'] } } },
  },
  why: { text: 'Why an app is as it is.' },
  start: { text: 'Starts scripts, commands or apps that are known. Answered when the first moments were looked at.' },
  run: { text: 'Runs a command once, as a job. Answered when its program is there.' },
  adopt: { text: 'Takes over a program that somebody else started.' },
  stop: { text: 'Ends apps, whole trees. Answered when nothing of them is alive.' },
  restart: { text: 'Ends apps and starts them anew.' },
  reload: { text: 'Replaces instances one by one, without a gap.' },
  scale: { text: 'More or fewer instances.' },
  delete: { text: 'Ends apps and forgets them.' },
  rename: { text: 'Another name for one app.' },
  signal: { text: 'A signal for the main program of each.' },
  reset: { text: 'Forgets earlier crashes and their count.' },
  flush: { text: 'Empties their logs.' },
  logs: {
    text: 'What an app printed: 1,000 lines or 1 MB at most, and a cursor behind them. A stream has a line per event, its id being the cursor.',
    query: {
      app: { text: 'One app.', schema: text, isRequired: true },
      stream: { text: 'Only one of both.', schema: { enum: ['out', 'err'] } },
      index: { text: 'Only this instance.', schema: { type: 'string', pattern: '^\\d+$' } },
      lines: {
        text: 'So many of the last lines, or all. 100.',
        schema: { type: 'string', pattern: '^(all|\\d{1,9})$' },
      },
      since: time('What came at this time or later'),
      until: time('What came before this time'),
      cursor: { text: 'Of an earlier answer: what comes behind it.', schema: text },
      follow,
    },
    stream: 'LogLineView',
  },
  wait: { text: 'Waits until nothing of the apps runs or will run by itself.' },
  attach: { text: 'Where the terminal of a program can be had (docs/terminals.md), or its stdin.' },
  handoff: {
    text: 'A step on the way of an app to systemd, which keeps it then (docs/systemd.md): stead handoff takes them all.',
  },
  takeback: { text: 'A step on the way back.' },
  set: { text: 'Other options for apps that there are.' },
  apply: { text: 'The apps of a config, as it says them: those that differ are changed.' },
  resurrect: { text: 'The apps of a dump: those that are not there are made, each by itself.' },
  events: {
    text: 'What happened: 10,000 events at most.',
    query: { since: { text: 'Those with a greater id.', schema: { type: 'string', pattern: '^\\d+$' } }, follow },
    stream: 'EventView',
  },
  daemonStatus: { text: 'The daemon itself.' },
  daemonStop: { text: 'Ends the daemon and its guardian; what runs goes on. Answered before it ends.' },
  openapi: { text: 'This document.' },
};

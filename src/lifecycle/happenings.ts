/** What is worth telling of a step: for the event stream and for hooks. */
import type { Event, Model } from './state.ts';
import { exitInWords } from './words.ts';

export type HappeningType =
  | 'start'
  | 'ready'
  | 'exit'
  | 'restart'
  | 'backoff'
  | 'wait'
  | 'unwell'
  | 'fail'
  | 'complete'
  | 'stop'
  | 'stuck'
  | 'delete'
  | 'log'
  | 'watch';

export interface Happening {
  readonly type: HappeningType;
  readonly run: number;
  /** In words; empty where the type says it all. */
  readonly reason: string;
}

/** In the order in which it happened. */
export function happenings(before: Model, event: Event, after: Model): readonly Happening[] {
  const told: Happening[] = [];
  const tell = (type: HappeningType, reason = '', run = after.run) => told.push({ type, run, reason });
  const [from, to] = [before.state, after.state];
  if (event.type === 'exited' && 'run' in from && from.run === event.exit.run)
    tell('exit', exitInWords(event.exit), event.exit.run);
  if (event.type === 'unwell' && to !== from) tell('unwell', event.reason, event.run);
  if (to.name === from.name && !(to.name === 'starting' && after.run !== before.run)) return told;
  switch (to.name) {
    case 'starting':
      tell(after.restarts > before.restarts ? 'restart' : 'start');
      break;
    case 'running':
      tell('ready');
      break;
    case 'waiting':
      tell('wait', to.reason);
      break;
    case 'backoff':
      tell('backoff', to.reason);
      break;
    case 'failed':
      tell('fail', to.reason);
      break;
    case 'completed':
      tell('complete', to.reason);
      break;
    case 'stuck':
      tell('stuck', `${to.pids.join(', ')} alive after SIGKILL`);
      break;
    case 'stopped':
      tell(to.reason === 'deleted' ? 'delete' : 'stop', to.reason);
      break;
    case 'stopping':
      break;
  }
  return told;
}

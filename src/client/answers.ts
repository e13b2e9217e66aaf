/** What each route of the control API answers with. */
import type {
  ActionResponse,
  AdoptResponse,
  AppDetail,
  ApplyResponse,
  AppView,
  AttachResponse,
  DaemonView,
  EventsResponse,
  LogsResponse,
  RouteName,
  RunResponse,
  StartResponse,
  WaitResponse,
  WhyView,
} from '../protocol/api.ts';

export interface Answers extends Record<RouteName, unknown> {
  list: readonly AppView[];
  show: AppDetail;
  start: StartResponse;
  run: RunResponse;
  adopt: AdoptResponse;
  stop: ActionResponse;
  restart: ActionResponse;
  reload: ActionResponse;
  scale: ActionResponse;
  delete: ActionResponse;
  rename: ActionResponse;
  signal: ActionResponse;
  reset: ActionResponse;
  flush: ActionResponse;
  logs: LogsResponse;
  set: ActionResponse;
  apply: ApplyResponse;
  resurrect: ApplyResponse;
  events: EventsResponse;
  why: WhyView;
  wait: WaitResponse;
  attach: AttachResponse;
  daemonStatus: DaemonView;
  daemonStop: unknown;
}

/** What each route of the control API is asked with and answers. From these types the schemas are made: docs/openapi.json and `requests.json`. */
import type {
  ActionResponse,
  AdoptRequest,
  AdoptResponse,
  AppDetail,
  ApplyRequest,
  ApplyResponse,
  AppView,
  AttachRequest,
  AttachResponse,
  DaemonView,
  DeleteRequest,
  EventsResponse,
  HandoffRequest,
  HandoffResponse,
  LogsResponse,
  ReloadRequest,
  RenameRequest,
  RestartRequest,
  ResurrectRequest,
  RunRequest,
  RunResponse,
  ScaleRequest,
  SelectRequest,
  SetRequest,
  SignalRequest,
  StartRequest,
  StartResponse,
  StopRequest,
  TakebackRequest,
  TakebackResponse,
  WaitRequest,
  WaitResponse,
  WhyView,
} from './api.ts';

export interface Answers {
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
  handoff: HandoffResponse;
  takeback: TakebackResponse;
  daemonStatus: DaemonView;
  daemonStop: DaemonView;
  /** This document. */
  openapi: Readonly<Record<string, unknown>>;
}

/** The bodies of POST requests. */
export interface Bodies {
  start: StartRequest;
  run: RunRequest;
  adopt: AdoptRequest;
  stop: StopRequest;
  restart: RestartRequest;
  reload: ReloadRequest;
  scale: ScaleRequest;
  delete: DeleteRequest;
  rename: RenameRequest;
  signal: SignalRequest;
  reset: SelectRequest;
  flush: SelectRequest;
  wait: WaitRequest;
  attach: AttachRequest;
  handoff: HandoffRequest;
  takeback: TakebackRequest;
  set: SetRequest;
  apply: ApplyRequest;
  resurrect: ResurrectRequest;
  /** Nothing is said. */
  daemonStop: Readonly<Record<never, never>>;
}

/** All commands but `help` and `completion`, which are made from these. */
import type { Command } from './command.ts';
import { command as adopt } from './commands/adopt.ts';
import { command as apply } from './commands/apply.ts';
import { command as attach } from './commands/attach.ts';
import { command as capture } from './commands/capture.ts';
import { command as config } from './commands/config.ts';
import { command as daemon } from './commands/daemon.ts';
import { command as del } from './commands/delete.ts';
import { command as dev } from './commands/dev.ts';
import { command as doctor } from './commands/doctor.ts';
import { command as down } from './commands/down.ts';
import { command as dump } from './commands/dump.ts';
import { command as env } from './commands/env.ts';
import { command as events } from './commands/events.ts';
import { command as exportApps } from './commands/export.ts';
import { command as flush } from './commands/flush.ts';
import { command as handoff } from './commands/handoff.ts';
import { command as importing } from './commands/import.ts';
import { command as list } from './commands/list.ts';
import { command as logs } from './commands/logs.ts';
import { command as open } from './commands/open.ts';
import { command as pid } from './commands/pid.ts';
import { command as reload } from './commands/reload.ts';
import { command as rename } from './commands/rename.ts';
import { command as reset } from './commands/reset.ts';
import { command as restart } from './commands/restart.ts';
import { command as resurrect } from './commands/resurrect.ts';
import { command as run } from './commands/run.ts';
import { command as scale } from './commands/scale.ts';
import { command as send } from './commands/send.ts';
import { command as set } from './commands/set.ts';
import { command as show } from './commands/show.ts';
import { command as signal } from './commands/signal.ts';
import { command as start } from './commands/start.ts';
import { command as startup } from './commands/startup.ts';
import { command as stop } from './commands/stop.ts';
import { command as takeback } from './commands/takeback.ts';
import { command as uninstall } from './commands/uninstall.ts';
import { command as unset } from './commands/unset.ts';
import { command as unstartup } from './commands/unstartup.ts';
import { command as up } from './commands/up.ts';
import { command as wait } from './commands/wait.ts';
import { command as why } from './commands/why.ts';

export const catalogue: readonly Command[] = [
  start,
  run,
  dev,
  open,
  attach,
  send,
  capture,
  list,
  show,
  logs,
  stop,
  restart,
  reload,
  scale,
  rename,
  del,
  apply,
  up,
  down,
  config,
  dump,
  resurrect,
  exportApps,
  set,
  unset,
  importing,
  handoff,
  takeback,
  why,
  env,
  events,
  signal,
  flush,
  reset,
  wait,
  pid,
  adopt,
  startup,
  unstartup,
  daemon,
  doctor,
  uninstall,
];

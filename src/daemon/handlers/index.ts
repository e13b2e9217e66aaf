import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readProcess } from '../../metrics/proc-table.ts';
import type { ActionResponse, ActionResult, DaemonView, SelectRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { protocolVersion } from '../../protocol/version.ts';
import { whyView } from '../../view/why.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Events } from '../events.ts';
import type { Handlers } from '../server.ts';
import { appDetail, appViews } from '../view.ts';
import { adopt } from './adopt.ts';
import { apply } from './apply.ts';
import { attach } from './attach.ts';
import { checkedBody } from './body.ts';
import { streamEvents } from './events.ts';
import { handoff } from './handoff.ts';
import { streamLogs } from './logs.ts';
import { reload } from './reload.ts';
import { rename } from './rename.ts';
import { restart } from './restart.ts';
import { resurrect } from './resurrect.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';
import { oneSelected, selected } from './select.ts';
import { set } from './set.ts';
import { signal } from './signal.ts';
import { start } from './start.ts';
import { remove, stop } from './stop.ts';
import { takeback } from './takeback.ts';
import { wait } from './wait.ts';

/** One handler per route. What comes in is JSON of anybody who can reach the socket: its form is checked here, by the schemas; what it says by who uses it. */
export function handlers(daemon: Daemon, events: Events): Handlers {
  const bodyOf: typeof checkedBody = (route, body) => {
    if (daemon.isEnding) throw ending();
    return checkedBody(route, body);
  };
  return {
    list: () => appViews(daemon, [...daemon.apps.values()]),
    show: ({ params, query }) => appDetail(daemon, oneSelected(daemon, params.sel!), query.get('showEnv') === '1'),
    why: ({ params }) => whyView(daemon.home, appDetail(daemon, oneSelected(daemon, params.sel!), false)),
    start: (request) => start(daemon, bodyOf('start', request.body), request.signal),
    run: (request) => run(daemon, bodyOf('run', request.body), request.signal),
    adopt: (request) => adopt(daemon, bodyOf('adopt', request.body)),
    stop: (request) => stop(daemon, bodyOf('stop', request.body), request.signal),
    restart: (request) => restart(daemon, bodyOf('restart', request.body), request.signal),
    reload: (request) => reload(daemon, bodyOf('reload', request.body), request.signal),
    scale: (request) => scale(daemon, bodyOf('scale', request.body), request.signal),
    delete: (request) => remove(daemon, bodyOf('delete', request.body), request.signal),
    rename: (request) => rename(daemon, bodyOf('rename', request.body)),
    signal: (request) => signal(daemon, bodyOf('signal', request.body)),
    reset: (request) => reset(daemon, bodyOf('reset', request.body)),
    flush: (request) => flush(daemon, bodyOf('flush', request.body)),
    logs: (request) => streamLogs(daemon, request),
    set: (request) => set(daemon, bodyOf('set', request.body)),
    apply: (request) => apply(daemon, bodyOf('apply', request.body), request.signal),
    resurrect: (request) => resurrect(daemon, bodyOf('resurrect', request.body), request.signal),
    events: (request) => streamEvents(events, request),
    wait: (request) => wait(daemon, bodyOf('wait', request.body), request.signal),
    attach: (request) => attach(daemon, bodyOf('attach', request.body)),
    handoff: (request) => handoff(daemon, bodyOf('handoff', request.body)),
    takeback: (request) => takeback(daemon, bodyOf('takeback', request.body), request.signal),
    daemonStatus: () => status(daemon),
    daemonStop: ({ body }) => {
      checkedBody('daemonStop', body);
      setImmediate(() => daemon.stop());
      return status(daemon);
    },
    openapi: () => JSON.parse(readFileSync(join(dirname(daemon.launcherScript), 'openapi.json'), 'utf8')),
  };
}

/** reset: forgets earlier crashes and their count. */
function reset(daemon: Daemon, request: SelectRequest): ActionResponse {
  const apps = selected(daemon, request.select);
  for (const app of apps) for (const instance of app.instances) instance.dispatch({ type: 'reset' });
  return { results: appViews(daemon, apps).map((app) => ({ app, changed: true, error: null })) };
}

async function flushOne(daemon: Daemon, app: App): Promise<ActionResult['error']> {
  try {
    for (const instance of app.instances) await daemon.logs.flush(instance);
    return null;
  } catch (error) {
    return new SteadError('DISK', `The logs of "${app.name}" can't be emptied: ${(error as Error).message}.`, {
      hint: `stead logs ${app.name} --path; ls -l`,
    }).toBody();
  }
}

/** flush: empties their logs. */
async function flush(daemon: Daemon, request: SelectRequest): Promise<ActionResponse> {
  const apps = selected(daemon, request.select);
  const errors = await Promise.all(apps.map((app) => flushOne(daemon, app)));
  return {
    results: appViews(daemon, apps).map((app, at) => ({ app, changed: errors[at] === null, error: errors[at]! })),
  };
}

/** systemd ends the unit: nothing that is asked for now would last. */
const ending = (): SteadError =>
  new SteadError('DAEMON_STOPPING', 'The daemon is ending all programs, as systemd asked for: nothing was changed.', {
    hint: 'systemctl list-jobs shows why; say it again when the unit has started',
  });

const pageBytes = 4096;

function status(daemon: Daemon): DaemonView {
  return {
    running: true,
    pid: process.pid,
    guardian: daemon.guardianPid(),
    unit: daemon.manager.unit,
    version: daemon.version,
    protocol: protocolVersion,
    home: daemon.home,
    since: daemon.since,
    controllers: daemon.cgroupBase === null ? null : [...daemon.enforcement.controllers],
    memory: (readProcess(process.pid)?.rssPages ?? 0) * pageBytes,
  };
}

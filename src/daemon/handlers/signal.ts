import { signalProcess } from '../../host/process.ts';
import { signalName, signalNumber } from '../../host/signals.ts';
import type { ActionResponse, ActionResult, SignalRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { appViews } from '../view.ts';
import { meantOf, selected } from './select.ts';

/** signal: to the main program of each app, and to nothing else. */
export function signal(daemon: Daemon, body: SignalRequest): ActionResponse {
  const number = signalNumber(body.signal);
  if (number === null)
    throw new SteadError('SIGNAL_UNKNOWN', `There is no signal "${body.signal}".`, {
      hint: 'kill -l lists them',
    });
  const apps = selected(daemon, body.select);
  const results = apps.map((app) => signalOne(app, meantOf(app, body.select), number));
  return { results: appViews(daemon, apps).map((app, at) => ({ app, ...results[at]! })) };
}

function signalOne(app: App, instances: readonly Instance[], number: number): Omit<ActionResult, 'app'> {
  const sent = instances.filter(
    ({ program, model }) => model.state.name !== 'starting' && program && signalProcess(program, number),
  );
  const error =
    sent.length > 0
      ? null
      : new SteadError('NOT_RUNNING', `"${app.name}" does not run: no ${signalName(number)} was sent.`, {
          hint: `stead start ${app.name}`,
        }).toBody();
  return { changed: sent.length > 0, error };
}

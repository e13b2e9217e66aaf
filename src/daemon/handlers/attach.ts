import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachRequest, AttachResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { App } from '../app.ts';
import type { Daemon } from '../context.ts';
import type { Instance } from '../instance.ts';
import { meantOf, selected } from './select.ts';

/** attach: where a program's terminal can be had, or its stdin. What goes there does not pass the daemon. */
export async function attach(daemon: Daemon, { select }: AttachRequest): Promise<AttachResponse> {
  const apps = selected(daemon, select);
  const [app] = apps;
  if (app === undefined || apps.length > 1)
    throw new SteadError('USAGE', `${select.join(' ')} are ${apps.length} apps: one at a time.`, {
      hint: 'name one, as stead list shows them',
    });
  const instance = oneOf(app, select);
  const common = { id: app.id, name: app.name, index: instance.index, state: instance.model.state.name };
  if (app.spec.tty !== null || daemon.terminals.has(instance))
    return { ...common, kind: 'terminal', homeId: daemon.homeId, ...(await daemon.terminals.reach(instance)) };
  return { ...common, kind: 'stdin', path: stdinOf(instance) };
}

function oneOf(app: App, select: readonly string[]): Instance {
  const [instance, ...others] = meantOf(app, select);
  if (instance !== undefined && others.length === 0) return instance;
  throw new SteadError('USAGE', `"${app.name}" has ${app.instances.length} instances.`, {
    hint: `one of them: ${app.name}:${app.instances[0]?.index ?? 0}`,
  });
}

function stdinOf(instance: Instance): string {
  const { name, spec } = instance.app;
  if (!spec.stdin)
    throw new SteadError('NO_TERMINAL', `"${name}" has no terminal, and its stdin is /dev/null.`, {
      hint: `see what it prints: stead logs -f ${name}; give it one: stead set ${name} tty=on, then stead restart ${name}; only its stdin: stdin=on`,
    });
  const path = join(instance.runDirectory(), 'stdin');
  if (!('run' in instance.model.state) || !existsSync(path))
    throw new SteadError('NOT_RUNNING', `"${name}" is ${instance.model.state.name}.`, { hint: `stead start ${name}` });
  return path;
}

/**
 * Units of systemd, as systemd.unit(5), .service(5), .socket(5), .timer(5), .exec(5) and .resource-control(5) have them: NAME.service; of several instances
 * NAME@.service and NAME.target; NAME.socket for `listen`, NAME.timer for a schedule, NAME-watch.path for what is watched. What has no equal stands as comments at the head of the service.
 */
import type { Outgoing, Written, WrittenFile } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { plainValue } from './escape.ts';
import { variablesOf } from './exec.ts';
import { isTemplate } from './instances.ts';
import { listenFile, usesListenFile } from './listen.ts';
import { pathFiles } from './path.ts';
import { serviceText } from './service.ts';
import { socketFiles } from './socket.ts';
import { timerFiles } from './timer.ts';
import { headOf, unitText, wantedBy } from './unit-text.ts';

/** To what others refer when they mean the whole app. */
export const mainUnit = (app: Outgoing): string => `${app.spec.name}.${isTemplate(app) ? 'target' : 'service'}`;

/** `context.units` are made here, of these apps. `listenText`: of the file that Node programs with sockets load first. */
export function writeSystemd(
  apps: readonly Outgoing[],
  context: Omit<SystemdContext, 'units'>,
  listenText: string,
): Written {
  const units = new Map(apps.map((app) => [app.spec.name, mainUnit(app)]));
  const beside = apps.some(usesListenFile) ? [{ name: listenFile, text: listenText, isPrivate: false }] : [];
  return { files: [...apps.flatMap((app) => unitsOf(app, { ...context, units })), ...beside], notes: [] };
}

/** All units of one app, its service first. */
export function unitsOf(app: Outgoing, context: SystemdContext): WrittenFile[] {
  const service = `${app.spec.name}${isTemplate(app) ? '@' : ''}.service`;
  return [
    { name: service, text: serviceText(app, context), isPrivate: variablesOf(app).length > 0 },
    ...(isTemplate(app) ? [targetFile(app, context)] : []),
    ...socketFiles(app, context),
    ...timerFiles(app, context),
    ...pathFiles(app, context),
  ];
}

function targetFile(app: Outgoing, { scope, version }: SystemdContext): WrittenFile {
  const { name, share, autostart } = app.spec;
  const instances = Array.from({ length: share.instances ?? 1 }, (_, index) => `${name}@${index}.service`);
  const sections = {
    Unit: [`Description=${plainValue(`All of ${name}`)}`, `Wants=${instances.join(' ')}`],
    Install: autostart && !share.onDemand ? [`WantedBy=${wantedBy(scope)}`] : [],
  };
  const text = unitText(headOf(app), sections, version);
  return { name: `${name}.target`, text, isPrivate: false };
}

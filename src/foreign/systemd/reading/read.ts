/** Unit files → apps and jobs. Those of one call know each other: what needs what, and which timer or socket starts which service. */
import { basename, dirname, extname } from 'node:path';
import type { ForeignContext } from '../../context.ts';
import { Names } from '../../draft.ts';
import { Mistakes, mistaken } from '../../mistakes.ts';
import type { Foreign, ForeignApp } from '../../model.ts';
import { isYes } from './limits.ts';
import { putRelations, relationsOf } from './relations.ts';
import { putService } from './service.ts';
import { putSocket, putTimer, triggered } from './triggers.ts';
import { lastOf, readUnit, type Unit } from './unit.ts';
import { specified, specifiersOf } from './words.ts';

export interface UnitFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** Of a template the instance that is meant: `web@8080.service`. */
  readonly name?: string;
}

/** Throws CONFIG_INVALID for a file that is no unit, or a service without a program. `context.file` is not looked at. */
export function readSystemd(files: readonly UnitFile[], context: Omit<ForeignContext, 'file'>): Foreign {
  const units = files.map(({ path, text, name }) =>
    readUnit(path, { text, files: context.files, ...(name !== undefined && { name }) }),
  );
  checkNames(units);
  const services = new Map(units.filter(({ name }) => extname(name) === '.service').map((unit) => [unit.name, unit]));
  const names = new Names();
  const drafts = [...services.values()].map((unit) => ({ unit, draft: names.begin(nameOf(unit), unit.name) }));
  const plain = (unit: Unit, text: string) =>
    specified(text, specifiersOf(unit.name, unit.path, surroundings(unit, context)), () => {});
  const all = { units: services, names, specify: plain };
  const relations = relationsOf(all);
  const apps = drafts.map(({ unit, draft }): ForeignApp => {
    const mistakes = new Mistakes(unit.path);
    const around = surroundings(unit, context);
    const specifiers = specifiersOf(unit.name, unit.path, around);
    const specify = (text: string) =>
      specified(text, specifiers, (specifier) =>
        draft.note(`${specifier} is known to systemd alone; it stands as it is.`),
      );
    const timer = units.find((other) => extname(other.name) === '.timer' && triggered(other) === unit.name);
    const socket = units.find((other) => extname(other.name) === '.socket' && triggered(other) === unit.name);
    const isJob = timer !== undefined || lastOf(unit, 'Service', 'Type') === 'oneshot';
    putService(draft, unit, {
      ...context,
      file: unit.path,
      specify,
      isJob,
      isOfSystem: around.isOfSystem,
      mistake: (text) => mistakes.say(null, text),
    });
    putRelations(draft, unit, all, relations);
    if (unit.name.includes('@.'))
      draft.note(
        `A template without an instance, so %i is empty: stead import systemd ${unit.name.replace('@.', '@NAME.')}.`,
      );
    if (timer !== undefined) putTimer(draft, timer);
    if (socket !== undefined && !isJob) {
      putSocket(draft, socket, specify);
      if (draft.has('listen') && isYes(lastOf(unit, 'Service', 'NonBlocking'))) draft.put('nonblock', true);
    }
    mistakes.check();
    return draft.app();
  });
  return { apps, notes: notesOf(units, services) };
}

/** Throws CONFIG_INVALID for another kind of unit, and for one that is named twice. */
function checkNames(units: readonly Unit[]): void {
  for (const [at, { path, name }] of units.entries()) {
    if (!['.service', '.timer', '.socket'].includes(extname(name)))
      throw mistaken(path, 'only .service, .timer and .socket are imported');
    if (units.findIndex((other) => other.name === name) < at) throw mistaken(path, `a second unit is called ${name}`);
  }
}

/** `nginx.service` is nginx, `web@8080.service` web-8080. */
const nameOf = ({ name }: Unit): string => basename(name, '.service').replace(/@$/, '').replace('@', '-');

function surroundings({ path }: Unit, { user, userHome, hostName, env }: Omit<ForeignContext, 'file'>) {
  const isOfSystem = !/\/(systemd\/user|\.config\/systemd)(\/|$)/.test(dirname(path));
  return { isOfSystem, user, userHome, hostName, runtime: env.XDG_RUNTIME_DIR ?? `/run/user/${user}` };
}

function notesOf(units: readonly Unit[], services: ReadonlyMap<string, Unit>): string[] {
  const alone = units.filter((unit) => extname(unit.name) !== '.service' && !services.has(triggered(unit)));
  const dropIns = units.flatMap((unit) => unit.dropIns);
  const hasControl = [...services.values()].some((unit) =>
    ['CPUQuota', 'CPUWeight', 'TasksMax'].some((key) => lastOf(unit, 'Service', key) !== undefined),
  );
  return [
    'A service starts with a clean environment; an app has that of the shell that applies it, with env over it.',
    ...(dropIns.length > 0 ? [`Drop-ins that were read: ${dropIns.join(', ')}.`] : []),
    ...alone.map((unit) => `${unit.name} starts ${triggered(unit)}, which is not imported: name it as well.`),
    ...(hasControl
      ? [
          'cpu, cpu_weight and max_tasks need a cgroup of stead: stead doctor says whether there is one; where there is none, apply refuses them.',
        ]
      : []),
  ];
}

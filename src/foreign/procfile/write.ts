/** A Procfile: `name: command`, a line each, run by sh(1) in the Procfile's directory. What else there is stands in comments. */

import { fiveFields } from '../cron/fields.ts';
import { parseCron } from '../cron/pattern.ts';
import { keyOf, secretNotes } from '../notes.ts';
import { shellWordInLine } from '../shell.ts';
import { commentLines, type Outgoing, type Written } from '../written.ts';

/** `directory` is the Procfile's, if it is known. */
export function writeProcfile(apps: readonly Outgoing[], directory: string | null): Written {
  const taken = new Set<string>();
  const named = apps.map((app) => ({ app, name: nameFor(app.spec.name, taken) }));
  const blocks = [commentLines(headNotes(named)), ...named.map(({ app, name }) => block(app, { name, directory }))];
  const text = `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
  return { files: [{ name: 'Procfile', text, isPrivate: apps.some(({ env }) => env.size > 0) }], notes: [] };
}

interface NamedApp {
  readonly app: Outgoing;
  readonly name: string;
}

function headNotes(named: readonly NamedApp[]): string[] {
  const several = named.flatMap(({ app, name }) => {
    const instances = app.spec.share.instances ?? 1;
    return instances > 1 ? [`${name}=${instances}`] : [];
  });
  return [
    'Written by stead export procfile.',
    'foreman and the like set PORT for each process and end all when one ends; restarts, limits, checks and order are not theirs.',
    ...(several.length === 0 ? [] : [`foreman start -m all=1,${several.join(',')}`]),
  ];
}

/** Letters, digits, - and _; each once. */
function nameFor(name: string, taken: Set<string>): string {
  const base = name.replace(/[^\w-]/g, '_');
  let found = base;
  for (let count = 2; taken.has(found); count++) found = `${base}_${count}`;
  taken.add(found);
  return found;
}

function block(
  app: Outgoing,
  { name, directory }: { readonly name: string; readonly directory: string | null },
): string[] {
  const line = `${name}: ${commandLine(app, directory)}`;
  const { schedule, kind } = app.spec;
  if (schedule === null || kind === 'app') return [...commentLines(notesOf(app)), line];
  const pattern = parseCron(schedule.pattern);
  const fields = pattern === null ? null : fiveFields(pattern);
  const when = `A Procfile has no times (${schedule.pattern}${schedule.zone === null ? '' : ` ${schedule.zone}`}).${fields === null ? '' : ' As a line for crontab(5):'}`;
  const cronLine = `${fields} ${commandLine(app, null).replaceAll('%', '\\%')}`;
  return commentLines([...notesOf(app), when, fields === null ? line : cronLine]);
}

/** Where it runs, with which variables, and what. Variables that no shell can set are left to env(1). */
function commandLine({ spec, argv, env }: Outgoing, directory: string | null): string {
  const isSettable = (name: string) => /^[A-Za-z_]\w*$/.test(name);
  const secrets = Object.entries(spec.secrets).map(
    ([name, file]) => [name, `"$(cat ${shellWordInLine(file)})"`] as const,
  );
  const all = [...[...env].map(([name, value]) => [name, shellWordInLine(value)] as const), ...secrets];
  const settings = all.filter(([name]) => isSettable(name)).map(([name, value]) => `${name}=${value}`);
  const odd = all.filter(([name]) => !isSettable(name)).map(([name, value]) => `${shellWordInLine(name)}=${value}`);
  const words = [...settings, 'exec', ...(odd.length > 0 ? ['env', ...odd] : []), ...argv.map(shellWordInLine)].join(
    ' ',
  );
  return spec.cwd === directory ? words : `cd ${shellWordInLine(spec.cwd)} && ${words}`;
}

function notesOf(app: Outgoing): string[] {
  const { spec, withheld } = app;
  const { options } = spec;
  // What has a place in the line, or in the head.
  const kept = [
    'name',
    'cwd',
    'env',
    'secret',
    'interpreter',
    'interpreterArgs',
    'instances',
    'cron',
    'timezone',
    'envFile',
  ];
  const lost = Object.keys(options).filter((name) => !kept.includes(name));
  return [
    ...(app.idle === null ? [] : [`${spec.name}: now it ${app.idle}.`]),
    ...(withheld.length === 0 ? [] : secretNotes({ ...app, spec: { ...spec, secrets: {} } })),
    ...(spec.envFiles.length === 0 ? [] : [`Its env files: foreman start -e ${spec.envFiles.join(',')}`]),
    ...(lost.length === 0 ? [] : [`${spec.name}, without an equal here: ${lost.map(keyOf).join(', ')}`]),
  ];
}

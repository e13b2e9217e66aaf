/** The `.path` of what is watched: systemd.path(5). It looks at files and at what lies in a directory, not below that. */
import { isAbsolute, join } from 'node:path';
import type { Outgoing, WrittenFile } from '../../written.ts';
import type { SystemdContext } from './context.ts';
import { isPlainPath, plainValue } from './escape.ts';
import { restartService, timesOf } from './timer.ts';
import { headOf, unitText, wantedBy } from './unit-text.ts';

export function pathFiles(app: Outgoing, context: SystemdContext): WrittenFile[] {
  const paths = watchedPaths(app);
  const { name, kind } = app.spec;
  if (paths.length === 0 || kind === 'job') return [];
  const sections = {
    Unit: [`Description=${plainValue(`Files of ${name}`)}`],
    Path: [...paths.map((path) => `PathModified=${plainValue(path)}`), `Unit=${name}-restart.service`],
    Install: [`WantedBy=${wantedBy(context.scope)}`],
  };
  const file = { name: `${name}-watch.path`, text: unitText(headOf(app), sections, context.version), isPrivate: false };
  const hasRestart = app.spec.schedule !== null && timesOf(app) !== null;
  return hasRestart ? [file] : [file, restartService(app, context)];
}

/** Absolute; patterns are not among them. */
export const watchedPaths = ({ spec: { watch, cwd } }: Outgoing): readonly string[] =>
  (watch?.paths ?? [])
    .filter((path) => !/[*?[\]{}!]/.test(path))
    .map((path) => (isAbsolute(path) ? path : join(cwd, path)))
    .filter(isPlainPath);

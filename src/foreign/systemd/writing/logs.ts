/** Where output goes: the journal, unless files were said. */
import type { AppSpec } from '../../../protocol/spec.ts';
import { isPlainPath, plainValue } from './escape.ts';

export function outputLines({ name, log }: AppSpec): string[] {
  const out = target(log.out);
  const err = log.merge ? 'inherit' : target(log.err);
  return [
    ...(out === null ? [] : [`StandardOutput=${out}`]),
    // stderr goes where stdout goes unless something is said.
    ...(err === null ? (out === null ? [] : ['StandardError=journal']) : [`StandardError=${err}`]),
    `SyslogIdentifier=${plainValue(name)}`,
  ];
}

function target(path: string | null): string | null {
  if (path === null || !isPlainPath(path)) return null;
  return path === '/dev/null' ? 'null' : `append:${plainValue(path)}`;
}

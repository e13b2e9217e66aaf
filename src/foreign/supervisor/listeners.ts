/** Event listeners speak supervisord's own protocol, so none is an app; what the usual ones do has an equal. */
import type { Section } from './ini.ts';

const equals: Readonly<Record<string, string>> = {
  memmon: 'max_memory: 200M',
  httpok: 'alive: http://localhost:8080/',
  crashmail: 'on: {exit: "mail …"}',
  crashmailbatch: 'on: {exit: "mail …"}',
  fatalmailbatch: 'on: {fail: "mail …"}',
  crashsms: 'on: {exit: "mail …"}',
  superlance: 'max_memory, alive and on',
};

export function listenerNote({ name, options }: Section): string {
  const command = options.get('command')?.value ?? '';
  const known = Object.keys(equals).find((word) => new RegExp(`(^|[\\s/])${word}(\\s|$)`).test(command));
  const instead = known === undefined ? 'on: {fail: COMMAND or URL}, or stead events -f --json' : equals[known];
  return `[${name}] is no app, as it speaks supervisord's event protocol; instead: ${instead}.`;
}

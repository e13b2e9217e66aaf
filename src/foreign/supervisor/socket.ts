/** `[fcgi-program:x]`: a socket that supervisord holds, and its processes have as fd 0. Ours have it as fd 3, so a shell moves it before the program begins. */
import { quote } from '../../config/values.ts';
import type { Draft } from '../draft.ts';
import type { ProgramContext, Value } from './program.ts';

export const socketKeys: readonly string[] = ['socket', 'socket_backlog', 'socket_owner', 'socket_mode'];

export function listensOn(draft: Draft, value: Value, { mistake }: ProgramContext): void {
  const socket = value('socket');
  const listen = socket === undefined ? null : addressOf(socket);
  if (listen === null) {
    mistake(
      'socket',
      `socket takes tcp://HOST:PORT or unix:///PATH, not ${socket === undefined ? 'nothing' : quote(socket)}`,
    );
    return;
  }
  if (!draft.put('listen', [listen], `socket=${socket}`)) return;
  draft.put('command', [
    'sh',
    '-c',
    'exec "$@" <&3 3<&-',
    'sh',
    ...((draft.get('command') as readonly string[] | undefined) ?? []),
  ]);
  draft.note('A FastCGI program wants its socket as stdin, and stead hands it over as fd 3: sh moves it.');
  for (const key of socketKeys.slice(1))
    if (value(key) !== undefined) draft.note(`${key}: has no equal; the socket is made by who runs stead.`);
}

/** `tcp://localhost:9002` → `127.0.0.1:9002`. */
function addressOf(socket: string): string | null {
  const [, host, port] = /^tcp:\/\/(.*):(\d+)$/.exec(socket) ?? [];
  if (port !== undefined)
    return host === '' || host === '*' ? port : `${host === 'localhost' ? '127.0.0.1' : host}:${port}`;
  const [, path] = /^unix:\/\/(\/.+)$/.exec(socket) ?? [];
  return path === undefined ? null : `unix:${path}`;
}

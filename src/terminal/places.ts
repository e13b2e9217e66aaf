/** Where the terminals of a home have their sockets. */
import { join } from 'node:path';

export const terminalsDirectory = (home: string): string => join(home, 'terminals');
export const clientSocketName = 'host.sock';
export const controlSocketName = 'control.sock';
export const clientSocket = (home: string): string => join(terminalsDirectory(home), clientSocketName);
export const controlSocket = (home: string): string => join(terminalsDirectory(home), controlSocketName);
/** How Node is to be started for a pty host: little memory, as there is one beside every home with a terminal. */
export const hostNodeOptions: readonly string[] = ['--max-semi-space-size=1', '--optimize-for-size'];

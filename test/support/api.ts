/** The built API, as a program that installed the package has it. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Stead as Client, ConnectOptions } from '../../src/api/types.ts';
import type { SteadError } from '../../src/protocol/errors.ts';
import { repository } from './paths.ts';
import type { Stead } from './stead.ts';
import type { Cleanup } from './temporary.ts';

export type { Client };

export interface Api {
  connect(options?: ConnectOptions): Promise<Client>;
  readonly SteadError: typeof SteadError;
}

export const apiFile: string = join(repository, 'dist/api.mjs');

export const loadApi = (): Promise<Api> => import(pathToFileURL(apiFile).href);

/** A client of a test's home that is closed with the test. */
export async function connectTo(cleanup: Cleanup, stead: Stead, options: ConnectOptions = {}): Promise<Client> {
  const { connect } = await loadApi();
  const client = await connect({ home: stead.home, ...options });
  cleanup.after(() => client.close());
  return client;
}

/** What a promise rejects with. */
export const failureOf = (promise: Promise<unknown>): Promise<SteadError> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error) => error,
  );

/** What this process has open, and what keeps it going. */
export function holdings(): { readonly fds: number; readonly sockets: number; readonly timers: number } {
  const targets = readdirSync('/proc/self/fd').flatMap((fd) => {
    const path = `/proc/self/fd/${fd}`;
    return existsSync(path) || isThere(path) ? [isThere(path) ?? ''] : [];
  });
  return {
    fds: targets.length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  };
}

function isThere(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

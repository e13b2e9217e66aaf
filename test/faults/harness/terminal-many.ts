/** Sessions by the ten that are made, looked at and ended: afterwards host and daemon have what they had. */
import { request } from '../../../src/client/http.ts';
import { openFds } from '../../support/proc.ts';
import { clientOf, hostPid, openScript, residentKb } from '../../support/sessions.ts';
import type { Stead } from '../../support/stead.ts';
import { waitFor } from '../../support/wait.ts';

/** For what is loaded and compiled when it is needed first. */
const mostGrownKb = 24 * 1024;
/** For what is opened once, when it is needed first. */
const mostMoreFds = 3;

const timeoutMs = 60_000;

export interface ManyOptions {
  readonly rounds: number;
  /** Sessions at a time. */
  readonly each: number;
  readonly say?: (text: string) => void;
}

export async function manySessions(stead: Stead, { rounds, each, say = () => {} }: ManyOptions): Promise<void> {
  await stead.ok(['daemon', 'restart']);
  await openScript(stead, { name: 'stays', script: 'read line' });
  await clientOf(stead, 'stays').then((client) => client.close());
  const host = await hostPid(stead);
  const { pid: daemon } = await stead.daemon();
  const count = () => [host, daemon!].map((pid) => fdsOf(pid));
  const fds = count();
  const settled = () =>
    waitFor('descriptors as before', () => count().every((one, at) => one <= fds[at]! + mostMoreFds)).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${fds} before, ${count()} now:\n${[daemon!, host].map(fdWords).join('\n')}`);
      },
    );
  const memory = residentKb(host);
  for (let at = 1; at <= rounds; at++) {
    await round(stead, each);
    await settled();
    say(`${at * each} sessions: descriptors ${count()}, host ${residentKb(host)} KB, daemon ${residentKb(daemon!)} KB`);
  }
  await waitFor(
    `the host to be as small as before (${memory} KB)`,
    () => residentKb(host) < memory + mostGrownKb,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${residentKb(host)} KB`);
  });
}

const fdWords = (pid: number): string => `${pid}: ${Object.values(openFds(pid)).join(' ')}`;

/** Without the sockets of connections that end just now. */
const fdsOf = (pid: number): number => Object.values(openFds(pid)).filter((to) => !to.startsWith('socket:')).length;

async function round(stead: Stead, each: number): Promise<void> {
  const names = Array.from({ length: each }, (_, at) => `one-${at}`);
  await Promise.all(
    names.map(async (name, at) => {
      await openScript(stead, { name, script: 'seq 2000; echo ready; read line' });
      const client = await clientOf(stead, name);
      await client.shows(/ready/);
      if (at % 2 === 0) client.type('\n');
      else await request(stead.home, 'stop', { timeoutMs, body: { select: [name], force: false } });
      await client.gets('exit').catch(() => client.gets('bye'));
      await client.close();
    }),
  );
  await request(stead.home, 'delete', { timeoutMs, body: { select: names, force: false } });
}

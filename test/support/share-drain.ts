/** Programs that drain, and requests to them. */
import { type Agent, get, type IncomingMessage } from 'node:http';
import { freePort } from './ports.ts';
import { type Program, ShareDaemon } from './share.ts';
import type { Cleanup } from './temporary.ts';

/** A program whose socket the daemon has. */
export async function started(t: Cleanup, source: (port: number) => string) {
  const daemon = await ShareDaemon.start(t);
  const port = await freePort();
  const program = await daemon.program(source(port));
  await daemon.event('given', { taken: true });
  return { daemon, port, program };
}

export async function drain(program: Program): Promise<void> {
  program.signal('SIGURG');
  await program.saysThat('draining');
}

export const kinds = (program: Program) => program.said().map((one) => one.do);

/** Answers when told to by SIGUSR2, so that a request can be in flight. */
export const server = (body: string) => (port: number) =>
  `
  const waiting = []; process.on('SIGUSR2', () => { for (const go of waiting.splice(0)) go(); });
  const s = require('node:http').createServer((q, r) => { console.log('request ' + q.url); ${body} }).listen(${port});
  process.on('SIGTERM', () => s.close((e) => { console.log('closed', e); }));`;

/** One GET. */
export function ask(
  port: number,
  path: string,
  agent: Agent,
): Promise<{ status: number; text: string; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    get({ port, path, agent, host: '127.0.0.1' }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          text: Buffer.concat(chunks).toString(),
          connection: response.headers.connection,
        }),
      );
    }).on('error', reject);
  });
}

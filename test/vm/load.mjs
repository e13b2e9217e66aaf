/**
 * node load.mjs PORT FILE: HTTP requests one after the other in each of four loops, half of them over connections that are kept. FILE tells how it goes, `N answered, N failed` and, by what went
 * wrong, how often; it is whole at any time. SIGTERM: those under way are finished, and that is all.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const [port, file] = process.argv.slice(2);
const loops = 4;
/** Between two requests: a machine under emulation has other things to do, too. */
const pauseMs = 50;
const tellMs = 200;
const patienceMs = 60_000;
const failures = {};
let answered = 0;
let isStopped = false;

process.once('SIGTERM', () => {
  isStopped = true;
});
const timer = setInterval(tell, tellMs);
await Promise.all(
  Array.from({ length: loops }, (_, at) => loop(new Agent({ keepAlive: at % 2 === 0, maxSockets: 1 }))),
);
clearInterval(timer);
tell();

async function loop(agent) {
  while (!isStopped) {
    const failure = await ask(agent);
    if (failure === null) answered += 1;
    else failures[failure] = (failures[failure] ?? 0) + 1;
    await setTimeout(pauseMs);
  }
  agent.destroy();
}

/** Null, or what went wrong. */
function ask(agent) {
  return new Promise((resolve) => {
    const request = get({ agent, port, host: '127.0.0.1', timeout: patienceMs }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`));
      response.on('error', (error) => resolve(error.code));
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'no answer' })));
    request.on('error', (error) => resolve(`${error.code}${request.reusedSocket ? ' on a kept connection' : ''}`));
  });
}

function tell() {
  const failed = Object.values(failures).reduce((sum, one) => sum + one, 0);
  const text = `${answered} answered, ${failed} failed ${failed === 0 ? '' : JSON.stringify(failures)}`;
  writeFileSync(`${file}.new`, `${text.trim()}\n`);
  renameSync(`${file}.new`, file);
}

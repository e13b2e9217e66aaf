// Asks a server on a port of this machine for so many milliseconds: 8 kept connections, and 8 clients with a new one for each request.
// Prints {"answered": n, "lost": n, "reasons": {…}}.
const http = require('node:http');
const [, , port, runMs] = process.argv.map(Number);
const end = performance.now() + runMs;
const counts = { answered: 0, lost: 0, reasons: {} };

function lose(reason) {
  counts.lost++;
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
}

const ask = (agent) =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, agent, timeout: 5000 }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) counts.answered++;
        else lose(`status ${response.statusCode}`);
        resolve();
      });
      response.once('error', (error) => resolve(lose(error.code)));
    });
    request.once('timeout', () => request.destroy(Object.assign(new Error('timed out'), { code: 'no answer in 5 s' })));
    request.once('error', (error) => resolve(lose(error.code)));
  });

async function client(agent) {
  while (performance.now() < end) {
    const before = counts.lost;
    await ask(agent);
    if (counts.lost > before) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  agent.destroy();
}

const clients = Array.from({ length: 16 }, (_, at) => client(new http.Agent({ keepAlive: at < 8, maxSockets: 1 })));
Promise.all(clients).then(() => process.stdout.write(JSON.stringify(counts)));

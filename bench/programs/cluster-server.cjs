// A server to run several times: listens on the inherited descriptor LISTEN_FD, or on PORT. Each answer is the pid of who gave it.
// GET /block?N: half a second from now whoever answers this keeps its loop busy for 200 ms, and so N times, a second apart.
// SIGUSR2: collects garbage, so that memories can be compared.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { LISTEN_FD, PORT } = process.env;
const blockMs = 200;
const body = `${process.pid}\n`;

function block(times) {
  if (times === 0) return;
  setTimeout(block, 1000, times - 1);
  for (const end = performance.now() + blockMs; performance.now() < end; );
}

require('node:http')
  .createServer((request, response) => {
    if (request.url.startsWith('/block?')) setTimeout(block, 500, Number(request.url.slice(7)));
    response.end(body);
  })
  .listen(LISTEN_FD ? { fd: Number(LISTEN_FD) } : Number(PORT));

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc');
  for (const collect = runInNewContext('gc'), runs = [1, 2, 3]; runs.pop(); ) collect();
});

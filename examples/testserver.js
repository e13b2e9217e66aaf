// An HTTP server that logs each new connection. Runs alone, with any Node, as CommonJS or as a module.
const port = Number(process.env.PORT || 5000);
let connections = 0;

import('node:http').then(({ createServer }) => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(`Hello from pid ${process.pid}: ${request.method} ${request.url}\n`);
  });
  server.on('connection', (socket) => {
    connections += 1;
    console.log(`connection ${connections} from ${socket.remoteAddress}`);
  });
  server.listen(port, () => console.log(`testserver listens on port ${port}`));
});

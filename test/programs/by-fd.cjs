// Node, on the socket at fd 3 by its number.
require('node:http')
  .createServer((_, response) => {
    const body = String(process.pid);
    response.setHeader('content-length', body.length).end(body);
  })
  .listen({ fd: 3 });

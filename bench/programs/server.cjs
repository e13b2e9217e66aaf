require('node:http')
  .createServer((_request, response) => response.end('ok\n'))
  .listen(Number(process.env.PORT || process.argv[2]));

import { createServer } from 'node:http';

const port: number = Number(process.env.PORT);
createServer((_request, response) => response.end(String(process.pid))).listen(port);

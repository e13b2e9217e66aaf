// Next.js behind a server of one's own.
const { createServer } = require('node:http');
const next = require('next');

const app = next({ dev: false, dir: __dirname });
app.prepare().then(() => createServer(app.getRequestHandler()).listen(Number(process.env.PORT)));

/** Programs that greet whoever connects. */
import { connect } from 'node:net';

/** Source of a server; `args` are those of its `listen`. */
export const greets = (args: string) =>
  `const s = require('node:net').createServer((c) => c.end('from ' + process.pid)).listen(${args}, () => console.log('listening'));
   console.log(JSON.stringify([s.listening, s.address()]));`;

/** What a server at a path says when one connects. */
export const greeting = (path: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(path.startsWith('@') ? `\0${path.slice(1)}` : path);
    socket.once('error', reject).once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
  });

/** What a server on a port says when one connects. */
export const greetingAt = (port: number) =>
  new Promise<string>((resolve, reject) => {
    connect(port, '127.0.0.1')
      .once('error', reject)
      .once('data', (data) => resolve(String(data)));
  });

/** Requests as no client of ours would make them. */
import { request } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One request on a Unix socket; its status and the JSON of its answer. */
export function post(
  socketPath: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/json', ...headers };
    const call = request({ socketPath, path, method, headers: all, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => {
        try {
          resolve({ status: response.statusCode!, body: JSON.parse(text) });
        } catch (error) {
          reject(error);
        }
      });
      response.once('error', reject);
    });
    call.once('error', reject);
    call.end(body);
  });
}

const patienceMs = 15_000;

/** Writes bytes and ends its side; all that came back until the other side hung up. */
export function raw(socketPath: string, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(socketPath);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('neither answered nor hung up on'));
    }, patienceMs);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    // Being hung up on while writing is an answer, too.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.end(bytes);
  });
}

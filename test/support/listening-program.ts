/** A program made of ways to listen, which tells what it can see: of the world, and of its servers once all listen. */
import type { Place, Protocol } from './asks.ts';

export interface Form {
  readonly title: string;
  /** An expression that makes a server and listens: of `port`, `path` and what the program has. */
  readonly open: string;
  readonly protocol?: Protocol;
  /** How it is reached: 127.0.0.1, or a path. */
  readonly at?: '127.0.0.1' | '::1' | 'localhost' | 'path';
  /** `any`: by port 0, the same for both; `own`: by port 0, one for each. */
  readonly port?: 'any' | 'own';
  /** What may go wrong over a reload. */
  readonly mayFail?: RegExp;
}

/** A program, and what it listens on. */
export interface Program {
  readonly title: string;
  readonly extension: 'cjs' | 'mjs';
  readonly needsCertificate?: boolean;
  readonly forms: readonly Form[];
}

/** Where a form listens. */
export interface Target {
  readonly form: Form;
  readonly place: Place;
}

/** What the program writes into `seen.PID`. */
export interface Seen {
  readonly seen: {
    readonly [name: string]: unknown;
    readonly early: readonly unknown[];
    readonly env: readonly string[];
  };
  /** As they are in the end. */
  readonly addresses: readonly unknown[];
}

const modules = ['dgram', 'fs', 'http', 'http2', 'https', 'net'];
const importsOf = {
  cjs: modules.map((name) => `const ${name} = require('node:${name}');`),
  mjs: modules.map((name) => `import ${name} from 'node:${name}';`),
};

const common = `
const pid = String(process.pid);
const answer = (_request, response) => response.end(pid);
const web = () => http.createServer(answer);
const raw = () => net.createServer((socket) => socket.end(pid));
const datagrams = (type) => {
  const socket = dgram.createSocket(type);
  return socket.on('message', (_, from) => socket.send(pid, from.port, from.address));
};
const later = (server, act) => (setTimeout(() => act(server), 500), server);
const remove = (path) => fs.rmSync(path, { force: true });
const heard = (server) => new Promise((resolve) => server.once('listening', () => resolve(server)));
const addressOf = (server) => {
  try { return server.address(); } catch { return null; }
};
const certificate = fs.existsSync('key.pem') ? { key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem') } : {};
`;

const look = `
const counts = (emitter) => emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]).sort();
const proto = net.Server.prototype;
const seen = () => ({
  send: typeof process.send, connected: process.connected, channel: typeof process.channel, disconnect: typeof process.disconnect,
  argv: process.argv, execArgv: process.execArgv, env: Object.keys(process.env).sort(), options: process.env.NODE_OPTIONS,
  listeners: counts(process), deprecation: process.noDeprecation,
  servers: servers.map((server) => [Object.keys(server), counts(server)]), early,
  net: [Object.keys(proto), proto.listen.name, proto.listen.length, proto._listen2.name, proto._listen2.length],
});
// Since its event, or the moment before.
const isOpen = (server) => (server instanceof net.Server ? '_connectionKey' in server : addressOf(server) !== null);
const timer = setInterval(() => {
  if (!servers.every(isOpen)) return;
  clearInterval(timer);
  setImmediate(() => fs.writeFileSync('seen.' + pid, JSON.stringify({ seen: seen(), addresses: servers.map(addressOf) }) + '\\n'));
}, 20);
`;

/** `early` are the addresses at once after `listen`. */
export function sourceOf(extension: Program['extension'], targets: readonly Target[]): string {
  const opens = targets.map(
    ({ form, place }) =>
      `{ const port = ${place.port ?? null}, path = ${JSON.stringify(place.path ?? null)};
      const server = ${form.open}; servers.push(server); early.push(addressOf(server)); }`,
  );
  return [...importsOf[extension], common, 'const servers = [], early = [];', ...opens, look].join('\n');
}

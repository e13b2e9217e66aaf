// outcome-load.cjs PORT CLIENTS: asks a server on a port of this machine until it is told to stop, half of the clients on kept connections, half with a new
// one for each request, and counts how each request ended. Speaks HTTP over bare sockets, as node:http tries again by itself and hides which end it was.
// Lines on stdin: `kill PID` sends SIGKILL and notes what was in flight at that instant; `count` prints the totals so far, a line of JSON; `stop` lets what is in
// flight end, and prints the last:
//   {"fresh": {"answered": n, "refused": n, …}, "kept": {…}, "pids": {"PID": n}, "idleClosed": n, "kill": {"inFlight": n, "lostOfThem": n, "lostLater": n}}
const net = require('node:net');
const [, , port, clientCount] = process.argv.map(Number);
const answerMs = 10_000;
const afterLossMs = 5;
const request = (kind) =>
  `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: ${kind === 'kept' ? 'keep-alive' : 'close'}\r\n\r\n`;
const totals = { fresh: {}, kept: {}, pids: {}, idleClosed: 0, kill: null };
const inFlight = new Set();
const state = { isEnding: false };

/** What is known of an answer so far: null while it is incomplete. */
function answerOf(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = text.slice(0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
  if (!/^HTTP\/1\.1 200 /.test(head) || Number.isNaN(length)) return { outcome: 'not 200' };
  const body = text.slice(headEnd + 4);
  if (body.length < length) return null;
  if (body.length > length) return { outcome: 'more than one answer' };
  return { outcome: 'answered', pid: body.trim(), isLast: /^connection: *close/im.test(head) };
}

/** How a request without its whole answer ended: `hadBytes` says whether a part of the answer came, `error` is undefined after an orderly end. */
function lossOf({ isConnected, hadBytes, error }) {
  if (!isConnected) return error?.code === 'ECONNREFUSED' ? 'refused' : `not connected: ${error?.code ?? 'closed'}`;
  if (hadBytes) return 'truncated';
  return error?.code === 'ECONNRESET' || error?.code === 'EPIPE'
    ? 'reset before a byte'
    : `${error?.code ?? 'closed'} before a byte`;
}

/** One connection; `ask` is called for one request after the other and resolves with its outcome. */
function connection() {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const own = { isConnected: false, isOver: false, error: undefined, text: '', settle: null };
  const settle = (answer) => {
    const { settle: tell } = own;
    own.settle = null;
    tell?.(answer);
  };
  const lose = () => settle({ outcome: lossOf({ ...own, hadBytes: own.text !== '' }) });
  socket.setEncoding('latin1');
  socket.on('connect', () => (own.isConnected = true));
  socket.on('data', (chunk) => {
    own.text += chunk;
    const answer = answerOf(own.text);
    if (answer) settle(answer);
  });
  socket.on('error', (error) => (own.error = error));
  socket.on('end', () => {
    own.isOver = true;
    lose();
  });
  socket.on('close', () => {
    own.isOver = true;
    lose();
  });
  const ask = (kind) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => settle({ outcome: `no answer in ${answerMs / 1000} s` }), answerMs);
      own.text = '';
      own.settle = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      socket.write(request(kind));
    });
  return { own, ask, end: () => socket.destroy() };
}

function note(kind, ticket, { outcome, pid }) {
  inFlight.delete(ticket);
  totals[kind][outcome] = (totals[kind][outcome] ?? 0) + 1;
  if (outcome === 'answered') totals.pids[pid] = (totals.pids[pid] ?? 0) + 1;
  else if (totals.kill) totals.kill[ticket.wasInFlight ? 'lostOfThem' : 'lostLater']++;
}

async function client(kind) {
  let line = connection();
  while (!state.isEnding) {
    if (line.own.isOver) {
      totals.idleClosed += kind === 'kept' ? 1 : 0;
      line = connection();
    }
    const ticket = { wasInFlight: false };
    inFlight.add(ticket);
    const answer = await line.ask(kind);
    note(kind, ticket, answer);
    const isLost = answer.outcome !== 'answered';
    if (isLost) await new Promise((resolve) => setTimeout(resolve, afterLossMs));
    if (kind === 'fresh' || answer.isLast || isLost) {
      line.end();
      if (!state.isEnding) line = connection();
    }
  }
  line.end();
}

/** All that was in flight now may be lost; of what is asked from here on, nothing. */
function kill(pid) {
  for (const ticket of inFlight) ticket.wasInFlight = true;
  totals.kill = { inFlight: inFlight.size, lostOfThem: 0, lostLater: 0 };
  process.kill(pid, 'SIGKILL');
}

process.stdin.setEncoding('utf8').on('data', (text) => {
  for (const line of text.trim().split('\n')) {
    if (line === 'stop') state.isEnding = true;
    if (line.startsWith('kill ')) kill(Number(line.slice(5)));
    if (line === 'count') console.log(JSON.stringify(totals));
  }
});
// Whoever started it is gone, and there is nobody to tell.
process.stdin.once('end', () => process.exit());
const clients = Array.from({ length: clientCount }, (_, at) => client(at % 2 ? 'fresh' : 'kept'));
Promise.all(clients).then(() => {
  console.log(JSON.stringify(totals));
  process.exit();
});

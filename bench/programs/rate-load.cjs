// rate-load.cjs PORT PER_SECOND SECONDS: asks at a fixed rate, with a new connection for each request, however slow the answers are; each is timed from when it
// was due, so that a server that stands still is charged for all who wait meanwhile. Prints {"answered": n, "failed": n, "p50": ms, "p99": ms, "max": ms, "slow": n}.
const net = require('node:net');
const [, , port, perSecond, seconds] = process.argv.map(Number);
const total = perSecond * seconds;
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const latencies = [];
const slowMs = 100;
const totals = { sent: 0, failed: 0 };
const began = performance.now();
const dueAt = (nth) => began + (nth * 1000) / perSecond;

function ask(due) {
  let text = '';
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
  socket.setTimeout(10_000, () => socket.destroy());
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    if (/^HTTP\/1\.1 200 /.test(text) && /\r\n\r\n\d+\n$/.test(text)) latencies.push(performance.now() - due);
    else totals.failed++;
    if (latencies.length + totals.failed === total) print();
  });
}

function print() {
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  const { failed } = totals;
  const slow = latencies.filter((one) => one > slowMs).length;
  console.log(JSON.stringify({ answered: latencies.length, failed, p50: at(0.5), p99: at(0.99), max: at(1), slow }));
}

const timer = setInterval(() => {
  for (; totals.sent < total && dueAt(totals.sent) <= performance.now(); totals.sent++) ask(dueAt(totals.sent));
  if (totals.sent === total) clearInterval(timer);
}, 1);

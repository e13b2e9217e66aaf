// Writes LINES lines of 60 to 100 bytes to its stdout, a write each, then says in a file how long that took and what CPU time it cost.
const { writeSync, writeFileSync } = require('node:fs');
const total = Number(process.argv[2]);
const tails = Array.from(
  { length: 41 },
  (_, at) => ` info a line as servers log it, ${'with some words in it '.repeat(3).slice(0, 20 + at)}\n`,
);
const began = performance.now();
for (let line = 1; line <= total; line++) writeSync(1, String(line).padStart(8, '0') + tails[line % 41]);
const tookMs = performance.now() - began;
const { user, system } = process.cpuUsage();
writeFileSync(process.argv[3], JSON.stringify({ tookMs, cpuMs: (user + system) / 1000 }));
setInterval(() => {}, 1 << 30);

// Writes MB megabytes of log lines of 100 bytes to its stdout, 64 KiB at a time, then says so in a file.
const { writeSync, writeFileSync } = require('node:fs');
const line = `${'2026-01-01T00:00:00.000Z info a line as servers log it, with some words in it'.padEnd(99, '.')}\n`;
const block = Buffer.from(line.repeat(655));
const total = Number(process.argv[2]) * 2 ** 20;
const began = process.hrtime.bigint();
for (let written = 0; written < total; ) {
  try {
    written += writeSync(1, block);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
  }
}
writeFileSync(process.argv[3], String(Number(process.hrtime.bigint() - began) / 1e6));
setInterval(() => {}, 1 << 30);

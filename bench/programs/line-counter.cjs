// Writes a thousand numbered lines a second to its stdout for so many milliseconds, then says in a file how many there were.
const { writeSync, writeFileSync, renameSync } = require('node:fs');
const [, , runMs, done] = process.argv;
const began = performance.now();
let count = 0;
const timer = setInterval(() => {
  const ran = performance.now() - began;
  while (count < ran) writeSync(1, `line ${++count}\n`);
  if (ran < Number(runMs)) return;
  clearInterval(timer);
  writeFileSync(`${done}.tmp`, String(count));
  renameSync(`${done}.tmp`, done);
}, 2);
setInterval(() => {}, 1 << 30);

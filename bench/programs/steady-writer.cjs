// Writes 5 MB of lines a second.
const line = `${'a line as servers log it, with some words in it '.repeat(2)}\n`;
const block = line.repeat(Math.round(500_000 / line.length));
setInterval(() => require('node:fs').writeSync(1, block), 100);

#!/usr/bin/env node
'use strict';
// Parses on Node 12, so that an old Node gets a sentence instead of a syntax error.
var version = process.versions.node.split('.').map(Number);
var recent = version[0] > 20 || (version[0] === 20 && version[1] >= 19);

if (process.platform !== 'linux') {
  refuse('stead runs on Linux only; this is ' + process.platform + '.');
} else if (!recent) {
  refuse('stead needs Node.js 20.19 or newer; this is ' + process.versions.node + ' (' + process.execPath + ').');
} else {
  require('../dist/cli.cjs');
}

function refuse(sentence) {
  process.exitCode = 5;
  process.stderr.write(sentence + '\n');
}

'use strict';
// Parses on Node 12, so that an old Node gets a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number);
const isRecent = major > 20 || (major === 20 && minor >= 19);

function refuse(sentence) {
  process.exitCode = 5;
  process.stderr.write(`${sentence}\n`);
}

/** Runs a bundle of dist/ where it can run. */
module.exports = (bundle) => {
  if (process.platform !== 'linux') {
    refuse(`stead runs on Linux only; this is ${process.platform}.`);
  } else if (!isRecent) {
    refuse(`stead needs Node.js 20.19 or newer; this is ${process.versions.node} (${process.execPath}).`);
  } else {
    require(`../dist/${bundle}`);
  }
};

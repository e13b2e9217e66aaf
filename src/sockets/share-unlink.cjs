/**
 * The file of a held Unix socket is everybody's who shares it: a program that removes it before it listens, or as it ends, would take it from its siblings, and
 * from who connects meanwhile. It is told that the file is gone, and the file stays. In front of the binding, through which every form of `unlink` and `rm` goes.
 */
const { resolve } = require('node:path');
const { setImmediate } = require('node:timers');
const { fileOf } = require('./share-address.cjs');

module.exports = { keep };

/** From now on, as long as it is this file. */
function keep(share, path) {
  const file = fileOf(path);
  if (file === null) return;
  if (!share.keptFiles) {
    share.keptFiles = new Map();
    standBefore(share, share.bindings.fs);
  }
  share.keptFiles.set(resolve(path), file);
}

function standBefore({ keptFiles }, binding) {
  const { unlink } = binding;
  binding.unlink = function (...args) {
    const path = pathOf(args[0]);
    return path !== null && keptFiles.has(path) && keptFiles.get(path) === fileOf(path)
      ? succeed(args[1])
      : unlink.apply(this, args);
  };
}

function pathOf(path) {
  if (typeof path !== 'string' && !Buffer.isBuffer(path)) return null;
  return resolve(path.toString());
}

/** As Node calls it: with nothing, with an object to be told later, or with a symbol for a promise. */
function succeed(request) {
  if (request === undefined) return undefined;
  if (typeof request !== 'object') return Promise.resolve();
  setImmediate(() => request.oncomplete(null));
  return undefined;
}

/**
 * What this process listens on. An entry is noticed from outside only by its records; a shared one is given to the daemon until it has it.
 */
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');
const { setImmediate, setTimeout } = require('node:timers');
const { textOf } = require('./share-address.cjs');
const { hide } = require('./share-hide.cjs');

/** The daemon is back within a second. */
const giveAgainMs = 1000;
const giveDeadlineMs = 5000;

module.exports = { give, record, track, watchConnections, whenGiven };

function record({ directory }, message) {
  try {
    appendFileSync(join(directory, 'listening'), `${JSON.stringify(message)}\n`);
  } catch {
    // Nobody reads it, or the user has changed: the program listens all the same.
  }
}

/**
 * From now on `handle` listens: `of` is {server, handle, place, key, isShared, isGiven}. `server` is null for UDP. Records it, and its end.
 */
function track(share, of) {
  const { server, handle, place, key } = of;
  const entry = { ...of, address: textOf(handle, place), isClosed: false, isStopped: false, isGiving: false };
  const { close } = handle;
  // Once its descriptor is closed, Node's own close does nothing more.
  entry.stop = () => {
    if (entry.isStopped) return;
    entry.isStopped = true;
    // A UDP socket sends its answers yet.
    if (server === null) return handle.recvStop();
    if (place.kind === 'tcp') keepName(handle);
    close.call(handle);
  };
  hide(handle, 'close', function (...args) {
    if (!entry.isClosed) {
      entry.isClosed = true;
      share.entries.delete(entry);
      record(share, { do: 'close', key });
      if (server !== null) watchConnections(share, server);
    }
    return close.apply(this, args);
  });
  share.entries.add(entry);
  if (server !== null && entry.isShared) {
    share.servers.add(server);
    if (process.moduleLoadList.includes('NativeModule internal/http2/core'))
      require('./share-http.cjs').watchSessions(server);
  }
  sayListens(share, entry);
  if (entry.isShared && !entry.isGiven) give(share, entry);
  if (share.isDraining) require('./share-drain.cjs').drainEntry(share, entry);
}

/** A server is kept in mind until it is closed and has no connections. Node calls this method of it after each end of one. */
function watchConnections(share, server) {
  if (!Object.hasOwn(server, '_emitCloseIfDrained'))
    hide(server, '_emitCloseIfDrained', function (...args) {
      const result = Object.getPrototypeOf(server)._emitCloseIfDrained.apply(this, args);
      forgetIfEnded(share, server);
      return result;
    });
  forgetIfEnded(share, server);
}

function forgetIfEnded(share, server) {
  const isListening = [...share.entries].some((entry) => entry.server === server);
  if (!isListening && !server._connections) {
    share.servers.delete(server);
    delete server._emitCloseIfDrained;
  }
  if (share.isDraining) require('./share-drain.cjs').tellIfDrained(share);
}

function sayListens(share, { key, address, isShared }) {
  record(share, { do: 'listen', key, address, isShared });
}

/** `server.address()` is right also when the descriptor is closed. */
function keepName(handle) {
  const name = {};
  handle.getsockname(name);
  hide(handle, 'getsockname', (out) => {
    Object.assign(out, name);
    return 0;
  });
}

/** Sends a duplicate to the daemon, again and again until one has taken it, or it is closed. */
function give(share, entry) {
  if (isOver(entry) || entry.isGiving) return;
  const { key } = entry;
  const waiting = share.giving.get(key) || [];
  entry.isGiving = true;
  share.giving.set(key, waiting);
  const done = (answer) => {
    entry.isGiving = false;
    share.giving.delete(key);
    if (answer === null) setTimeout(() => give(share, entry), giveAgainMs).unref();
    else settle(share, entry, answer.ok === true);
    for (const go of waiting) go();
  };
  // After what the program does at its start. Not unref'd: then it would wait for whatever happens next.
  setImmediate(() => send(share, entry, done));
}

function isOver({ isClosed, isStopped }) {
  return isClosed || isStopped;
}

function send(share, entry, done) {
  if (isOver(entry)) return done(null);
  const { key, address, handle } = entry;
  const message = { v: 1, do: 'give', key, address, pid: process.pid };
  try {
    // Now rather than later, when its file may be gone.
    require('./share-drain.cjs');
    require('./share-link.cjs').request(share, { message, handle, deadlineMs: giveDeadlineMs }, done);
  } catch {
    done({ ok: false });
  }
}

function settle(share, entry, isTaken) {
  if (isTaken) entry.isGiven = true;
  else if (!entry.isGiven) {
    entry.isShared = false;
    share.servers.delete(entry.server);
    if (!entry.isClosed) sayListens(share, entry);
  }
  if (share.isDraining) require('./share-drain.cjs').drainEntry(share, entry);
}

/** Calls `go` when nothing with that key is on its way to the daemon: it can't be asked for before. */
function whenGiven(share, key, go) {
  const waiting = share.giving.get(key);
  if (waiting) waiting.push(go);
  else go();
}

/**
 * Draining: no more new connections, which the siblings take from the same socket; those that are open go on, and end as soon as what they wait for is
 * answered. The servers notice nothing, so the program's own end goes its usual way.
 */
const { existsSync, unlinkSync } = require('node:fs');
const { join } = require('node:path');
const { give, record, watchConnections } = require('./share-entries.cjs');
const { endResponses, endSessions } = require('./share-http.cjs');

module.exports = { drain, drainEntry, onSignal, tellIfDrained };

/** A file `give` in the directory makes of it: give all again, as daemon and holder were lost. */
function onSignal(share) {
  const file = join(share.directory, 'give');
  if (!existsSync(file)) return drain(share);
  unlinkSync(file);
  for (const entry of share.entries) if (entry.isShared) give(share, entry);
}

function drain(share) {
  if (share.isDraining) return;
  share.isDraining = true;
  record(share, { do: 'draining' });
  endResponses();
  for (const server of share.servers) watch(share, server);
  for (const entry of share.entries) drainEntry(share, entry);
  tellIfDrained(share);
}

/** What the daemon doesn't have yet would be lost: it is drained when it has been given. */
function drainEntry(share, entry) {
  if (entry.isShared && entry.isGiven && !entry.isClosed) {
    if (entry.server !== null) watch(share, entry.server);
    entry.stop();
  }
  tellIfDrained(share);
}

function watch(share, server) {
  endSessions(server);
  watchConnections(share, server);
}

function tellIfDrained(share) {
  if (share.isDrained) return;
  const isBusy = [...share.servers].some((server) => server._connections > 0);
  const isListening = [...share.entries].some((entry) => entry.isShared && !entry.isStopped);
  if (isBusy || isListening) return;
  share.isDrained = true;
  record(share, { do: 'drained' });
}

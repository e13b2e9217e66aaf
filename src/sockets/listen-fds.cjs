/**
 * Loaded first into a Node program that systemd gives its listening sockets (sd_listen_fds(3)): `listen(PORT)` takes the one that is bound to that address already,
 * so that a program which knows nothing of systemd shares it with its siblings, and keeps those who wait over a restart. The build bundles it with the parts of
 * `share.cjs` that it needs into one file, which lies beside the units: it needs no stead.
 *
 * SIGURG: take no more connections, answer what was begun, then end as the signal in STEAD_STOP_SIGNAL asks to. ExecStop= sends it.
 */
const oldestMajor = 18;
const firstFd = 3;

const found = takeFromEnvironment();
if (found !== null) {
  try {
    start(found);
  } catch {
    // As it would be alone.
  }
}

/** Its children are none of its business: they have none of the sockets. */
function takeFromEnvironment() {
  const { LISTEN_PID: pid, LISTEN_FDS: count, STEAD_STOP_SIGNAL: signal, NODE_OPTIONS: options } = process.env;
  delete process.env.STEAD_STOP_SIGNAL;
  if (options) {
    const others = options.replace(/(^| )--require="[^"]*\/stead-listen\.cjs"/g, '').trim();
    if (others === '') delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = others;
  }
  const isOurs = pid === String(process.pid) && Number.parseInt(process.versions.node, 10) >= oldestMajor;
  return isOurs && !process.chdir.disabled && Number(count) > 0
    ? { fds: Array.from({ length: Number(count) }, (_, at) => firstFd + at), signal: signal || 'SIGTERM' }
    : null;
}

function start({ fds, signal }) {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  const bindings = { fs: process.binding('fs') };
  process.noDeprecation = noDeprecation;
  const share = {
    known: require('./listen-addresses.cjs').knownOf(fds),
    bindings,
    entries: new Set(),
    servers: new Set(),
    giving: new Map(),
    numbers: new Map(),
    exclusive: new WeakSet(),
    isDraining: false,
    get isDrained() {
      return false;
    },
    set isDrained(_) {
      setImmediate(() => process.kill(process.pid, signal));
    },
  };
  for (const { path } of share.known.values()) if (path) require('./share-unlink.cjs').keep(share, path);
  standBeforeListen(share);
  process.on('SIGURG', () => require('./share-drain.cjs').drain(share));
}

/** What systemd has not bound is bound as without this file. */
function standBeforeListen(share) {
  const { prototype } = require('node:net').Server;
  const { keyOf, keysFor, placeOf } = require('./share-address.cjs');
  const { listen } = require('./share-listen.cjs');
  const listen2 = prototype._listen2;
  const isGiven = (server, args) => {
    const place = server._handle ? null : placeOf(args);
    if (place === null) return args[4] >= firstFd;
    return place.port !== 0 && keysFor(place, keyOf(place, 0)).some((key) => share.known.has(key));
  };
  Object.defineProperty(prototype, '_listen2', {
    value: function setupListenHandle(...args) {
      return isGiven(this, args) ? listen(share, { server: this, listen2, args }) : listen2.apply(this, args);
    },
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

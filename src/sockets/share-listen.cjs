/**
 * TCP and Unix sockets: in front of Node's `Server.prototype._listen2`, the one place through which every form of `listen` goes once names are looked up.
 */
const net = require('node:net');
const { fileOf, hasAddress, keyOf, keysFor, placeOf } = require('./share-address.cjs');
const { track } = require('./share-entries.cjs');
const { hide } = require('./share-hide.cjs');

/** As Node does it. */
const defaultBacklog = 511;
/** Of libuv, on Linux. */
const addressInUse = -98;

module.exports = { listen };

/** `call` is {server, listen2: Node's own function, args: its arguments}. */
function listen(share, call) {
  const { server, args } = call;
  const place = server._handle ? null : placeOf(args);
  if (place === null) return leaveAlone(share, call);
  const key = keyOf(place, place.port === 0 ? nextNumber(share, place) : 0);
  const wanted = { ...call, place, key, backlog: args[3] || defaultBacklog };
  if (place.port === 0 && share.exclusive.has(server)) return alone(share, wanted, { isShared: false });
  const inherited = takeKnown(share, wanted);
  if (inherited !== null) return adopt(share, wanted, inherited);
  if (isOwn(share, key)) return alone(share, wanted);
  // Node would remove its file when it closes it.
  if (place.kind === 'unix' && !place.isAbstract) return askFor(share, wanted);
  const handle = bindAndListen(wanted);
  if (typeof handle !== 'number') return serve(share, { ...wanted, isGiven: false }, handle);
  return handle === addressInUse ? askFor(share, wanted) : alone(share, wanted);
}

/** A descriptor that the program was told of (LISTEN_FDS) may be one of those that are held. */
function leaveAlone(share, { server, listen2, args }) {
  const fd = server._handle ? -1 : args[4];
  listen2.apply(server, args);
  const found = [...share.known].find(([, known]) => known.fd === fd);
  if (!found || !server._handle) return;
  const [key] = found;
  share.known.delete(key);
  const kind = key.startsWith('unix:') ? 'unix' : 'tcp';
  const place = { kind, path: key.slice('unix:'.length) };
  track(share, { server, handle: server._handle, place, key, isShared: true, isGiven: true });
}

/** Which `listen(0)` of this process for that address it is. */
function nextNumber({ numbers }, { host }) {
  const number = (numbers.get(host) || 0) + 1;
  numbers.set(host, number);
  return number;
}

/** Two servers of one program can't share an address: the kernel tells the second one so. */
function isOwn(share, key) {
  return [...share.entries].some((entry) => entry.key === key && !entry.isStopped);
}

/** The inherited socket as a handle that listens, or null. Its key may be a wider one. */
function takeKnown(share, wanted) {
  const { place, key, backlog } = wanted;
  for (const name of keysFor(place, key)) {
    const known = share.known.get(name);
    if (!known || isOwn(share, name)) continue;
    share.known.delete(name);
    const handle = net._createServerHandle(null, null, -1, known.fd);
    if (typeof handle === 'number') continue;
    if (isStill(handle, place, known) && !handle.listen(backlog)) return { handle, key: name };
    handle.close();
  }
  return null;
}

function isStill(handle, place, { file }) {
  if (place.kind === 'unix') return !handle.getsockname && (place.isAbstract || (file && fileOf(place.path) === file));
  return Boolean(handle.getsockname) && hasAddress(handle, place);
}

function adopt(share, wanted, { handle, key }) {
  serve(share, { ...wanted, key, isGiven: true }, handle);
}

/** Lets Node go on with a handle that listens already. */
function serve(share, { server, listen2, args, place, key, isGiven }, handle) {
  const [address, port, addressType, backlog, , flags] = args;
  if (place.kind === 'unix') letBeChmodded(handle, place);
  if (place.kind === 'unix' && !place.isAbstract) require('./share-unlink.cjs').keep(share, place.path);
  server._handle = handle;
  const { shown, type } = shownOf(handle, { address, addressType });
  listen2.call(server, shown, port, type, backlog, undefined, flags);
  if (server._handle === handle) track(share, { server, handle, place, key, isShared: true, isGiven });
}

/** Node keeps what it was bound to (`_connectionKey`). */
function shownOf(handle, { address, addressType }) {
  if (address || !handle.getsockname) return { shown: address, type: addressType };
  const name = {};
  handle.getsockname(name);
  return { shown: name.address, type: name.family === 'IPv6' ? 6 : 4 };
}

/** As Node does it: all of IPv6, and where there is none all of IPv4. libuv tells of a taken address only when one listens. A handle, or an error. */
function bindAndListen({ args: [address, port, addressType, , , flags], backlog }) {
  let handle = net._createServerHandle(address || '::', port, address ? addressType : 6, undefined, flags);
  if (typeof handle === 'number' && !address) handle = net._createServerHandle('0.0.0.0', port, 4, undefined, flags);
  if (typeof handle === 'number') return handle;
  const error = handle.listen(backlog);
  if (!error) return handle;
  handle.close();
  return error;
}

/** As without stead: with its result, or its error. */
function alone(
  share,
  { server, listen2, args, place, key },
  { isShared = place.kind === 'tcp' || place.isAbstract } = {},
) {
  listen2.apply(server, args);
  if (!server._handle) return;
  track(share, { server, handle: server._handle, place, key, isShared, isGiven: false });
}

/** Meanwhile the server listens as far as it can tell: it has an address, can't listen twice, and can be closed. */
function askFor(share, wanted) {
  const { server, place, key, backlog } = wanted;
  const asking = require('./share-ask.cjs').ask(share, { key, backlog }, (_answer, handle) => {
    if (server._handle !== placeholder) {
      if (handle) handle.close();
      return;
    }
    server._handle = null;
    if (handle && isRight(handle, place) && !handle.listen(backlog)) {
      serve(share, { ...wanted, isGiven: true }, handle);
      if (placeholder.mode) handle.fchmod(placeholder.mode);
      return;
    }
    if (handle) handle.close();
    alone(share, wanted);
    if (placeholder.mode && server._handle) server._handle.fchmod(placeholder.mode);
  });
  const placeholder = placeholderOf(wanted, asking);
  server._handle = placeholder;
}

function isRight(handle, place) {
  return place.kind === 'unix' ? !handle.getsockname : Boolean(handle.getsockname) && hasAddress(handle, place);
}

function placeholderOf({ args: [address, port, addressType], place }, asking) {
  const placeholder = {
    mode: 0,
    ref: asking.ref,
    unref: asking.unref,
    hasRef: () => true,
    getAsyncId: () => 0,
    fchmod: (mode) => {
      placeholder.mode = mode;
      return 0;
    },
    close: (callback) => {
      asking.cancel();
      if (typeof callback === 'function') process.nextTick(callback);
    },
  };
  if (place.kind === 'unix') return placeholder;
  placeholder.getsockname = (out) => {
    const isIpv6 = !address || addressType === 6;
    Object.assign(out, { address: address || '::', family: isIpv6 ? 'IPv6' : 'IPv4', port });
    return 0;
  };
  return placeholder;
}

/** `readableAll`, `writableAll`: the daemon may have bound the path by another name for it. */
function letBeChmodded(handle, { path, isAbstract }) {
  const { fchmod } = handle;
  if (isAbstract) return;
  hide(handle, 'fchmod', function (mode) {
    if (!fchmod.call(this, mode)) return 0;
    try {
      const { chmodSync, statSync } = require('node:fs');
      // libuv: readable 1, writable 2, for everybody.
      chmodSync(path, (statSync(path).mode & 0o7777) | (mode & 1 ? 0o444 : 0) | (mode & 2 ? 0o222 : 0));
      return 0;
    } catch (error) {
      return error.errno;
    }
  });
}

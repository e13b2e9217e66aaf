/**
 * UDP sockets: in front of the binding's `bind`. Port 0 is the program's own (who binds it is a client, and waits for answers that a sibling would take), as
 * is whatever shares the address by itself (`reuseAddr`, `reusePort`).
 */
const { hasAddress, keyOf } = require('./share-address.cjs');
const { track } = require('./share-entries.cjs');
const { hide } = require('./share-hide.cjs');

const ipv6Only = 1;
const reuses = 4 | 64;
const addressInUse = -98;
const unbound = 0;
const binding = 1;

module.exports = { bind };

/** `call` is {handle, bind: the binding's own function, family: 'udp4' | 'udp6', args: [address, port, flags]}. 0 or an error. */
function bind(share, { handle, bind: bindAlone, family, args }) {
  const [address, port, flags] = args;
  if (!port || (flags & reuses) !== 0) return bindAlone.apply(handle, args);
  const host = address === '::' || address === '0.0.0.0' ? null : address;
  const place = { kind: family, host, port, isOnlyIpv6: (flags & ipv6Only) !== 0 && family === 'udp6' };
  const key = keyOf(place, 0);
  const known = share.known.get(key);
  if (known) {
    share.known.delete(key);
    if (!handle.open(known.fd) && hasAddress(handle, place)) return serve(share, { handle, place, key, isGiven: true });
    return addressInUse;
  }
  const error = bindAlone.apply(handle, args);
  if (!error) return serve(share, { handle, place, key, isGiven: false });
  const isOwn = [...share.entries].some((entry) => entry.key === key);
  if (error === addressInUse && !isOwn) askFor(share, { handle, place, key });
  return error;
}

function serve(share, { handle, place, key, isGiven }) {
  const { addMembership } = handle;
  // A membership is the socket's: a sibling may have joined already.
  hide(handle, 'addMembership', function (...args) {
    const error = addMembership.apply(this, args);
    return error === addressInUse ? 0 : error;
  });
  track(share, { server: null, handle, place, key, isShared: true, isGiven });
  return 0;
}

/** The error on its way to the program is held back until the daemon has answered; then it goes on, or the socket is bound to what came. */
function askFor(share, { handle, place, key }) {
  const socket = held(handle, 'owner_symbol');
  const state = socket && held(socket, 'state symbol');
  if (!state) return;
  hide(socket, 'emit', (...event) => {
    delete socket.emit;
    state.bindState = binding;
    require('./share-ask.cjs').ask(share, { key, backlog: 0 }, (_answer, given) => {
      const isBinding = state.handle === handle && state.bindState === binding;
      if (isBinding) state.bindState = unbound;
      if (isBinding && given?.recvStart && hasAddress(given, place)) {
        serve(share, { handle: given, place, key, isGiven: true });
        socket.bind(given);
        return;
      }
      if (given) given.close();
      if (isBinding) socket.emit(...event);
    });
    return true;
  });
}

function held(object, description) {
  const symbol = Object.getOwnPropertySymbols(object).find((one) => one.description === description);
  return symbol && object[symbol];
}

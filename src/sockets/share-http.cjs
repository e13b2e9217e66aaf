/**
 * How connections of HTTP servers come to their end without a failed request. HTTP/1: whatever this process answers from now on says `Connection: close`.
 * HTTP/2: the client is told to open no more streams, and the session closes when those that are open have ended. Neither module is loaded here if the program
 * hasn't. All else (plain sockets, upgraded ones) ends by itself.
 */
const { setTimeout } = require('node:timers');
const { hide } = require('./share-hide.cjs');

const mostStreams = 2 ** 31 - 1;
/** For what is on its way. A ping would tell, but a client of Node 20 that answers one while it closes may leave its connection open for good. */
const roundTripMs = 500;
/** For a client that doesn't close its end although all is said. */
const lingerMs = 2000;
const switchingProtocols = 101;

/** From a connection to its first request. */
const firstStreamMs = 2000;

const ending = new WeakSet();
/** Server → its HTTP/2 sessions. */
const sessionsOf = new WeakMap();

module.exports = { endResponses, endSessions, watchSessions };

/** To be called before the first session: nothing else leads from a server to its sessions. */
function watchSessions(server) {
  if (sessionsOf.has(server) || !isHttp2(server)) return;
  const watched = { sessions: new Set(), isEnding: false };
  sessionsOf.set(server, watched);
  tap(server, (name, [subject]) => {
    if (name === 'stream' && watched.isEnding) endSession(subject.session);
    if (name !== 'session') return;
    watched.sessions.add(subject);
    subject.once('close', () => watched.sessions.delete(subject));
    if (watched.isEnding) endOnceAsked(subject);
  });
}

/** The sessions of a server, those to come, too. */
function endSessions(server) {
  const watched = sessionsOf.get(server);
  if (!watched) return;
  watched.isEnding = true;
  for (const session of watched.sessions) endOnceAsked(session);
}

/** A client that is told to open no more streams before it has opened one gives its request up. */
function endOnceAsked(session) {
  if (session.state.lastProcStreamID > 0) endSession(session);
  else setTimeout(() => endSession(session), firstStreamMs).unref();
}

function isHttp2(server) {
  for (let of = Object.getPrototypeOf(server); of !== null; of = Object.getPrototypeOf(of))
    if (of.constructor && /^Http2(?:Secure)?Server$/.test(of.constructor.name)) return true;
  return false;
}

/** Sees the events of a server without a listener that others see. */
function tap(server, look) {
  const own = Object.hasOwn(server, 'emit') ? server.emit : null;
  hide(server, 'emit', function (name, ...values) {
    try {
      look(name, values);
    } catch {
      // It is not as expected: then it is left alone.
    }
    return (own || Object.getPrototypeOf(server).emit).call(this, name, ...values);
  });
}

/** In two steps, so that no stream is refused that is on its way (RFC 9113, 6.8). */
function endSession(session) {
  if (ending.has(session)) return;
  ending.add(session);
  const close = () => {
    if (!session.destroyed && !session.closed) session.close();
  };
  try {
    endSocket(session);
    session.goaway(0, mostStreams);
    setTimeout(close, roundTripMs).unref();
  } catch {
    close();
  }
}

/** The session itself shows its socket only through a veil. */
function endSocket(session) {
  const symbol = Object.getOwnPropertySymbols(session).find((one) => one.description === 'socket');
  const socket = symbol && session[symbol];
  if (socket) socket.once('finish', () => setTimeout(() => socket.destroy(), lingerMs).unref());
}

/**
 * Decided when a response's headers are made, as the program may have asked for keep-alive itself. Only the response to the newest request of a connection ends
 * it: what a client sent ahead is answered first.
 */
function endResponses() {
  if (!process.moduleLoadList.includes('NativeModule _http_server')) return;
  const { prototype } = require('node:http').ServerResponse;
  const storeHeader = prototype._storeHeader;
  hide(prototype, '_storeHeader', function (...args) {
    const isLast = isNewest(this.req) && this.statusCode !== switchingProtocols;
    if (isLast) this.shouldKeepAlive = false;
    const result = storeHeader.apply(this, args);
    if (isLast && !this._last && typeof this._header === 'string') {
      this._header = this._header.replace(/^connection: .*$/im, 'Connection: close');
      this._last = true;
    }
    return result;
  });
}

function isNewest(request) {
  const parser = request?.socket?.parser;
  return !parser?.incoming || parser.incoming === request;
}

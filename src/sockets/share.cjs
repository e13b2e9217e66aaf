/**
 * Loaded first into Node programs whose listening sockets are shared (docs/decisions/014-shared-sockets.md). In the process that the launcher named it
 * stands in front of `listen` and of UDP's `bind`; everywhere else, and always, it takes its traces out of the environment, so that neither the program nor
 * its children see anything of it.
 *
 * A program that never listens pays for this file alone: `net` is not loaded but awaited, the other parts come with the first `listen`. Written in a
 * language that old Nodes read, too: what they can't do must not be their program's end.
 *
 * `node share.cjs give SOCKET FD=KEY…` hands inherited sockets to the daemon (used by the holder); keys are percent-encoded.
 */
const oldestMajor = 18;

if (require.main && require.main.filename === __filename) {
  if (process.argv[2] === 'give') require('./share-give.cjs')(process.argv[3], process.argv.slice(4));
} else {
  const task = takeFromEnvironment();
  if (task !== null && isOurs(task)) quietly(() => start(task));
}

function takeFromEnvironment() {
  const { STEAD_PID: pid, STEAD_SHARE: text, NODE_OPTIONS: options } = process.env;
  delete process.env.STEAD_PID;
  delete process.env.STEAD_SHARE;
  if (options) {
    const others = options.replace(/(^| )--require="((?:[^"\\]|\\.)*\/share\.cjs)"/g, without).trim();
    if (others === '') delete process.env.NODE_OPTIONS;
    else if (others !== options) process.env.NODE_OPTIONS = others;
  }
  return pid && text ? { pid, text } : null;
}

/** Only this very file: a program may have a share.cjs of its own. */
function without(option, _space, quoted) {
  const path = quoted.replace(/\\(.)/g, '$1');
  if (path === __filename) return '';
  try {
    return require('node:fs').realpathSync(path) === __filename ? '' : option;
  } catch {
    return option;
  }
}

/** `chdir` can't be had in a thread, and says so: to ask `worker_threads` costs milliseconds. */
function isOurs({ pid }) {
  return (
    pid === String(process.pid) &&
    Number.parseInt(process.versions.node, 10) >= oldestMajor &&
    !process.chdir.disabled &&
    typeof process.binding === 'function'
  );
}

/** Whatever goes wrong here is no concern of the program; nor is it to be warned of a deprecated function that it doesn't call. */
function quietly(work) {
  const before = Object.getOwnPropertyDescriptor(process, 'noDeprecation');
  try {
    process.noDeprecation = true;
    work();
  } catch {
    // Not shared, then: as it would be alone. So under --permission, which forbids process.binding.
  } finally {
    if (before) Object.defineProperty(process, 'noDeprecation', before);
    else delete process.noDeprecation;
  }
}

function start({ text }) {
  const { directory, socket, sockets, drainSignal } = JSON.parse(text);
  const { UDP } = process.binding('udp_wrap');
  const share = {
    directory,
    socket,
    known: knownOf(sockets || {}),
    bindings: {
      UDP,
      fs: process.binding('fs'),
      pipe: process.binding('pipe_wrap'),
      stream: process.binding('stream_wrap'),
    },
    /** What listens now, shared or not. */
    entries: new Set(),
    /** Servers of shared sockets, also closed ones that have connections yet. */
    servers: new Set(),
    /** Key → who waits until that key has been given. */
    giving: new Map(),
    /** Address → how often it was listened to with port 0. */
    numbers: new Map(),
    /** Servers that asked for a socket of their own. */
    exclusive: new WeakSet(),
    isDraining: false,
    isDrained: false,
  };
  for (const { path } of share.known.values()) if (path) require('./share-unlink.cjs').keep(share, path);
  awaitNet(share);
  standBeforeBind(share, UDP);
  catchSignal(UDP, drainSignal || 'SIGURG', () => quietly(() => require('./share-drain.cjs').onSignal(share)));
}

/** Of a Unix socket's file also which one it is: programs remove it before they listen. */
function knownOf(sockets) {
  const known = new Map();
  for (const [key, fd] of Object.entries(sockets)) {
    const path = key.startsWith('unix:/') ? key.slice('unix:'.length) : null;
    known.set(key, { fd, path, file: path && require('./share-address.cjs').fileOf(path) });
  }
  return known;
}

/**
 * `net` costs a program that doesn't use it 10 ms. While it loads it assigns `Server.prototype._listen2`, which inherits from EventEmitter's prototype: a
 * setter there is told.
 */
function awaitNet(share) {
  const emitter = Object.getPrototypeOf(Object.getPrototypeOf(process));
  if (process.moduleLoadList.includes('NativeModule net')) {
    const { prototype } = require('node:net').Server;
    standBeforeListen(share, prototype, prototype._listen2);
    return;
  }
  Object.defineProperty(emitter, '_listen2', {
    configurable: true,
    enumerable: false,
    get: () => undefined,
    set(value) {
      if (typeof value === 'function' && value.name === 'setupListenHandle') {
        delete emitter._listen2;
        standBeforeListen(share, this, value);
      } else {
        Object.defineProperty(this, '_listen2', { value, writable: true, enumerable: true, configurable: true });
      }
    },
  });
}

function standBeforeListen(share, prototype, listen2) {
  replace(prototype, '_listen2', listen2, function (...args) {
    const part = partOf('./share-listen.cjs');
    return part ? part.listen(share, { server: this, listen2, args }) : listen2.apply(this, args);
  });
  awaitListen(share, prototype);
}

/** `exclusive` is known to `listen` alone. Node assigns it after `_listen2`. */
function awaitListen(share, prototype) {
  const stand = (listen) =>
    replace(prototype, 'listen', listen, function (...args) {
      const [options] = args;
      if (options !== null && typeof options === 'object' && options.exclusive) share.exclusive.add(this);
      else share.exclusive.delete(this);
      return listen.apply(this, args);
    });
  if (Object.hasOwn(prototype, 'listen')) return stand(prototype.listen);
  Object.defineProperty(prototype, 'listen', {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set: stand,
  });
}

/** Null where stead is gone: then nothing is shared. */
function partOf(name) {
  try {
    return require(name);
  } catch {
    return null;
  }
}

/** Named as what it replaces. */
function replace(prototype, property, { name, length }, value) {
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  Object.defineProperty(value, 'length', { value: length, configurable: true });
  Object.defineProperty(prototype, property, { value, writable: true, enumerable: true, configurable: true });
}

/** The binding itself: `dgram` is loaded by programs that use it, whichever way. */
function standBeforeBind(share, UDP) {
  for (const [name, family] of [
    ['bind', 'udp4'],
    ['bind6', 'udp6'],
  ]) {
    const bind = UDP.prototype[name];
    replace(UDP.prototype, name, bind, function (...args) {
      const part = partOf('./share-udp.cjs');
      return part ? part.bind(share, { handle: this, bind, family, args }) : bind.apply(this, args);
    });
  }
}

/**
 * Like `process.on(signal)`, but no listener shows. Node hands out its class for signals no more, but uses it when one listens, and then calls a method that
 * all handles have in common.
 */
function catchSignal(UDP, name, act) {
  const number = process.binding('constants').os.signals[name];
  let common = UDP.prototype;
  while (!Object.hasOwn(common, 'unref')) common = Object.getPrototypeOf(common);
  const { unref } = common;
  let Signal = null;
  common.unref = function () {
    Signal = this.constructor;
    return unref.call(this);
  };
  const listener = () => {};
  try {
    process.on(name, listener);
  } finally {
    common.unref = unref;
  }
  if (Signal === null) return;
  const signal = new Signal();
  signal.unref();
  signal.onsignal = act;
  signal.start(number);
  process.removeListener(name, listener);
}

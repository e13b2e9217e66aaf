/**
 * One request to the daemon over a connection of its own: a JSON line, a handle with it or with the answer. libuv's IPC pipe is the one thing in Node that
 * passes descriptors: raw bytes, with SCM_RIGHTS beside the first.
 */
const { closeSync, constants, openSync } = require('node:fs');
const { basename, dirname } = require('node:path');
const { clearTimeout, setTimeout } = require('node:timers');

const ipc = 2;
/** sockaddr_un has room for this and a NUL. */
const longestPathBytes = 107;
const longestAnswerBytes = 65536;

module.exports = { request };

/**
 * `done(answer, handle)` is called once, later: `answer` is null if nobody is there or answers within `deadlineMs`; `handle` is what came with it.
 * Unless `keepsAlive` the program may end meanwhile.
 */
function request({ bindings, socket }, { message, handle, keepsAlive, deadlineMs }, done) {
  const { Pipe, PipeConnectWrap } = bindings.pipe;
  const pipe = new Pipe(ipc);
  if (!keepsAlive) pipe.unref();
  pipe.pendingHandle = null;
  const state = { text: '', received: null, isDone: false };
  const timer = setTimeout(() => finish(null), deadlineMs);
  timer.unref();

  const connecting = new PipeConnectWrap();
  connecting.oncomplete = (status) => (status === 0 ? send() : finish(null));
  const error = connect(pipe, connecting, socket);
  if (error) setTimeout(() => finish(null), 0);
  return { ref: () => pipe.ref(), unref: () => pipe.unref() };

  function send() {
    pipe.onread = read;
    pipe.readStart();
    const writing = new bindings.stream.WriteWrap();
    writing.oncomplete = () => {};
    const line = `${JSON.stringify(message)}\n`;
    const failed = handle ? pipe.writeUtf8String(writing, line, handle) : pipe.writeUtf8String(writing, line);
    if (failed) finish(null);
  }

  function read(bytes) {
    const { pendingHandle } = pipe;
    pipe.pendingHandle = null;
    if (pendingHandle) {
      if (state.received) state.received.close();
      state.received = pendingHandle;
    }
    if (!bytes) return finish(null);
    state.text += Buffer.from(bytes).toString();
    const end = state.text.indexOf('\n');
    if (end >= 0) finish(parse(state.text.slice(0, end)));
    else if (state.text.length > longestAnswerBytes) finish(null);
  }

  function finish(answer) {
    if (state.isDone) return;
    state.isDone = true;
    clearTimeout(timer);
    pipe.close();
    const { received } = state;
    const isWanted = answer !== null && answer.ok === true;
    if (received && !isWanted) received.close();
    done(answer, isWanted ? received : null);
  }
}

/** A path that is too long is short by way of its directory. 0 or an error. */
function connect(pipe, connecting, path) {
  if (Buffer.byteLength(path) <= longestPathBytes) return pipe.connect(connecting, path) || 0;
  try {
    const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return pipe.connect(connecting, `/proc/self/fd/${fd}/${basename(path)}`) || 0;
    } finally {
      // Connecting to a Unix socket is decided at once.
      closeSync(fd);
    }
  } catch {
    return -1;
  }
}

function parse(line) {
  try {
    const answer = JSON.parse(line);
    return answer !== null && typeof answer === 'object' ? answer : null;
  } catch {
    return null;
  }
}

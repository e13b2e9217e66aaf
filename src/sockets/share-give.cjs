/**
 * `node share.cjs give SOCKET FD=KEY…`: what a holder does for a daemon that may not take descriptors out of it. Whether a socket blocks is a property that all
 * who have it share: libuv changes it when it opens one, so it is put back.
 */
const { readFileSync } = require('node:fs');
const { request } = require('./share-link.cjs');

const nonBlocking = 0o4000;
const deadlineMs = 5000;

module.exports = (socket, words) => {
  const { TCP } = process.binding('tcp_wrap');
  const bindings = { pipe: process.binding('pipe_wrap'), stream: process.binding('stream_wrap') };
  next([...words]);

  function next([word, ...others]) {
    if (word === undefined) return;
    const [, fd, key] = /^(\d+)=(.*)$/.exec(word) || [];
    const handle = fd === undefined ? null : open(Number(fd));
    if (handle === null) {
      process.exitCode = 1;
      return next(others);
    }
    const message = { v: 1, do: 'give', key: decodeURIComponent(key), address: '', pid: process.pid };
    request({ bindings, socket }, { message, handle, keepsAlive: true, deadlineMs }, (answer) => {
      if (answer === null || answer.ok !== true) process.exitCode = 1;
      handle.close();
      next(others);
    });
  }

  /** To be passed on, any socket is a stream. */
  function open(fd) {
    const isBlocking = (flagsOf(fd) & nonBlocking) === 0;
    const handle = new TCP(0);
    if (handle.open(fd)) return null;
    if (isBlocking) handle.setBlocking(true);
    return handle;
  }
};

function flagsOf(fd) {
  try {
    return Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))[1], 8);
  } catch {
    return 0;
  }
}

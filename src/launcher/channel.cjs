/**
 * Loaded into Node programs that say "ready" by process.send or are asked to end by a message: what pm2 does with an IPC channel, through two files, so
 * that no end of stead's daemon is ever noticed. `said` is what the program sent, `heard` what it is to receive: JSON lines.
 * It acts in the program alone: not in its children, nor in its threads.
 */
const { STEAD_CHANNEL: directory } = process.env;
delete process.env.STEAD_CHANNEL;
if (process.env.NODE_OPTIONS) {
  const others = withoutOwn(process.env.NODE_OPTIONS);
  if (others === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = others;
}
if (directory && !process.send && require('node:worker_threads').isMainThread) open();

/**
 * What else is in NODE_OPTIONS, byte for byte. Node divides it at spaces outside of double quotes, within which a backslash escapes. A program may load a
 * channel.cjs of its own, and this one may be named through links.
 */
function withoutOwn(options) {
  const { realpathSync } = require('node:fs');
  const own = realpathSync(__filename);
  const isOwn = (word) => {
    const plain = word.replace(/"((?:\\.|[^"\\])*)"/gs, (_, quoted) => quoted.replace(/\\(.)/gs, '$1'));
    try {
      return plain.startsWith('--require=/') && realpathSync(plain.slice('--require='.length)) === own;
    } catch {
      return false;
    }
  };
  let isFirst = false;
  const others = options.replace(/(?:^| )((?:[^ "]|"(?:\\.|[^"\\])*")+)/gs, (whole, word, at) => {
    if (!isOwn(word)) return whole;
    isFirst ||= at === 0 && !whole.startsWith(' ');
    return '';
  });
  return isFirst ? others.replace(/^ /, '') : others;
}

function open() {
  const { appendFileSync, readSync, openSync, watch } = require('node:fs');
  const mostSaid = 65536;
  let said = 0;
  process.connected = true;
  process.channel = { ref() {}, unref() {} };
  process.send = (message, ...rest) => {
    const callback = rest.find((item) => typeof item === 'function');
    try {
      const line = `${JSON.stringify(message)}\n`;
      said += line.length;
      if (said <= mostSaid) appendFileSync(`${directory}/said`, line);
    } catch {
      // Nobody reads it: as with a channel whose other end is slow.
    }
    if (callback) process.nextTick(callback, null);
    return true;
  };
  process.disconnect = () => {
    if (!process.connected) return;
    process.connected = false;
    process.nextTick(() => process.emit('disconnect'));
  };
  try {
    const fd = openSync(`${directory}/heard`, 'r');
    const buffer = Buffer.alloc(4096);
    let rest = '';
    const look = () => {
      for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer))
        rest += buffer.toString('utf8', 0, read);
      const lines = rest.split('\n');
      rest = lines.pop();
      for (const line of lines) process.emit('message', JSON.parse(line));
    };
    const watcher = watch(`${directory}/heard`, { persistent: false }, look);
    watcher.on('error', () => {});
    // A listener for messages keeps a program alive, as it does with a channel.
    process.on('newListener', (name) => name === 'message' && watcher.ref());
    process.on(
      'removeListener',
      (name) => name === 'message' && process.listenerCount('message') === 0 && watcher.unref(),
    );
  } catch {
    // Without it nothing is heard.
  }
}

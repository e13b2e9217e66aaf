import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { readable, socket } from './socket-calls.ts';

test('whoever looks for what can be read is not disturbed by signals', async () => {
  const fd = socket('unix', 'datagram', { nonblock: true });
  let signals = 0;
  const count = () => {
    signals += 1;
  };
  process.on('SIGUSR2', count);
  const storm = spawn('/bin/sh', ['-c', `while kill -USR2 ${process.pid}; do :; done`], { stdio: 'ignore' });
  try {
    for (const end = performance.now() + 500; performance.now() < end; ) {
      for (let look = 0; look < 200; look++) assert.deepEqual(readable([fd]), []);
      await new Promise(setImmediate);
    }
    assert.ok(signals > 0);
  } finally {
    storm.kill();
    await once(storm, 'exit');
    // Those under way would end this process.
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off('SIGUSR2', count);
    closeSync(fd);
  }
});

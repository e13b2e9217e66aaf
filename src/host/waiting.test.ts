/** What a thread waits for, of real programs that wait. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { needs, python } from '../../test/support/programs.ts';
import { waitFor } from '../../test/support/wait.ts';
import { waitsFor } from './waiting.ts';

const prelude =
  'import os, select, socket, time\none = socket.socket(); one.bind(("127.0.0.1", 0)); one.listen()\nos.dup2(one.fileno(), 9)\n';

const programs: Readonly<Record<string, { readonly text: string; readonly fds: readonly number[] }>> = {
  accept: { text: 'socket.socket(fileno=9).accept()', fds: [9] },
  poll: { text: 'p = select.poll(); p.register(0); p.register(9, select.POLLIN); p.unregister(0); p.poll()', fds: [9] },
  select: { text: 'r = os.pipe()\nselect.select([9, r[0]], [], [])', fds: [4, 9] },
  recv: { text: 'a, b = socket.socketpair()\na.recv(1)', fds: [4] },
};

for (const [name, { text, fds }] of Object.entries(programs)) {
  test(`a thread in ${name} waits for what that was given`, needs(python), async (t) => {
    const child = spawn(python, ['-c', `${prelude}${text}`], { stdio: ['ignore', 'inherit', 'inherit'] });
    t.after(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const { pid } = child;
    await waitFor(`it to wait for ${fds}`, () => String(waitsFor(pid!, pid!)) === String(fds));
  });
}

test('of what is in no such call, or is not there, nothing is known', () => {
  assert.equal(waitsFor(process.pid, process.pid), null);
  assert.equal(waitsFor(2 ** 22 + 1, 1), null);
});

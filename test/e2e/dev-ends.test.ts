/** How `stead dev` ends, and what it leaves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Dev, filesIn } from '../support/dev.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';

const stead = new Stead({ after });

const records = () => readdirSync(join(stead.home, 'dev')).map((name) => Number(name.split('.')[1]));

describe('the end of stead dev', { concurrency: 4 }, () => {
  test('what a killed one has left is ended by the next one of the same program, and told; what another has left is not', async () => {
    const files = filesIn(stead, {
      'app.sh': 'setsid sleep 1000 & echo "up $$ $!"; exec sleep 1000',
      'other.sh': 'echo "up $$"; exec sleep 1000',
    });
    const killed = new Dev(stead, files, ['app.sh']);
    const [, main, child] = await killed.says(/up (\d+) (\d+)/);
    const running = new Dev(stead, files, ['app.sh']);
    const [, beside] = await running.says(/up (\d+)/);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    assert.ok(isRunning(Number(main)));
    const other = new Dev(stead, files, ['other.sh']);
    await other.says(/up \d+/);
    assert.ok(isRunning(Number(main)));
    const next = new Dev(stead, files, ['app.sh', '--port', '1']);
    await next.says(/the last stead dev of this program was killed; ended is what it has left: pid \d+ [\s\S]*up \d+/);
    assert.deepEqual([main, child, beside].map(Number).map(isRunning), [false, false, true]);
    await Promise.all([running, other, next].map((dev) => dev.end()));
    const own = [killed, running, other, next].map(({ child }) => child.pid!);
    assert.deepEqual(
      records().filter((pid) => own.includes(pid)),
      [],
    );
  });

  test('a signal that would end it ends the program, too', async () => {
    const signals = { SIGQUIT: 131, SIGALRM: 142, SIGUSR1: 138, SIGUSR2: 140 } as const;
    for (const [signal, code] of Object.entries(signals)) {
      const files = filesIn(stead, { 'app.sh': 'echo "up $$"; exec sleep 1000' });
      const dev = new Dev(stead, files, ['app.sh']);
      const [, pid] = await dev.says(/up (\d+)/);
      assert.equal(await dev.end(signal as NodeJS.Signals), code);
      assert.ok(!isRunning(Number(pid)));
      assert.doesNotMatch(dev.said, /Debugger/);
    }
  });
});

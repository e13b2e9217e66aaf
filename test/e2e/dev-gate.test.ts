/** `stead dev --before`: what the gate writes, and what it leaves running. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Dev, filesIn, quietTime } from '../support/dev.ts';
import { isRunning } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

const stead = new Stead({ after });

const server = (version: string) => `echo "up ${version} $$"; exec sleep 1000`;

describe('a gate', { concurrency: 4 }, () => {
  test('that writes into what is watched is not run for that without end; other changes run it', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['--before', 'date +%N > gen.json', 'app.sh']);
    await dev.says(/--before itself writes what it is run for \(gen\.json\)/);
    await dev.saysTimes(/: starting \S/, 5);
    await quietTime();
    assert.equal(dev.count(/: starting \S/), 5);
    files.write('other.json', '1');
    await dev.says(/other\.json changed: date/);
    await dev.saysTimes(/: starting \S/, 6);
    await quietTime();
    assert.equal(dev.count(/: starting \S/), 6);
    // By somebody else, and so it counts.
    files.write('gen.json', 'mine');
    await dev.saysTimes(/: starting \S/, 7);
    assert.equal(dev.count(/itself writes/), 1);
    await dev.end();
  });

  test('what it leaves running is ended before it is run again, and at the end', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['-w', '*.json', '--before', 'sleep 1004 & echo "left $!"', 'app.sh']);
    const [, first] = await dev.says(/left (\d+)\n[\s\S]*up 1/);
    assert.ok(isRunning(Number(first)));
    files.write('a.json', '1');
    const [, second] = await dev.says(/left \d+\n[\s\S]*left (\d+)\n[\s\S]*up 1/);
    assert.deepEqual([first, second].map(Number).map(isRunning), [false, true]);
    assert.equal(await dev.end(), 143);
    await waitFor('its end', () => !isRunning(Number(second)));
  });

  test('a save in each of several builds in a row is built, the last one too', async () => {
    const files = filesIn(stead, { 'src.txt': 'v0', '.gitignore': 'app.sh\n' });
    const build = 'echo building; sleep 1; echo "echo up $(cat src.txt); exec sleep 1000" > app.sh';
    const dev = new Dev(stead, files, ['-e', 'txt', '--before', build, 'app.sh']);
    await dev.says(/up v0/);
    for (let save = 1; save <= 5; save++) {
      files.save('src.txt', `v${save}`);
      // The next save comes while this one is built.
      if (save < 5) await dev.saysTimes(/\nbuilding\n/, save + 1);
    }
    await dev.says(/up v5/);
    await dev.end();
  });
});

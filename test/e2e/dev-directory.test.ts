/** `stead dev` in a directory that is removed and made again, as by a checkout of another branch, or a clone. */
import assert from 'node:assert/strict';
import { readlinkSync, rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { Dev, type Files, filesIn } from '../support/dev.ts';
import { Stead } from '../support/stead.ts';

const stead = new Stead({ after });

const server = (version: string) => `echo "up ${version} $$"; exec sleep 1000`;
const remove = ({ directory }: Files) => rmSync(directory, { recursive: true });

describe('a directory that is gone for a while', { concurrency: 4 }, () => {
  test('is watched again when it is back, and the program is started in it', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['app.sh']);
    await dev.says(/up 1/);
    remove(files);
    await dev.says(/the directory .* is gone\n[\s\S]*waiting for a change/);
    files.write('app.sh', server('2'));
    const [, pid] = await dev.says(/starting: app\.sh changed[\s\S]*up 2 (\d+)/);
    for (const one of [Number(pid), dev.child.pid!]) assert.equal(readlinkSync(`/proc/${one}/cwd`), files.directory);
    files.write('app.sh', server('3'));
    await dev.says(/restarting: app\.sh changed[\s\S]*up 3/);
    await dev.end();
  });

  test('also where the program goes on in the old one, as the gate has failed', async () => {
    const files = filesIn(stead, { 'app.sh': server('1') });
    const dev = new Dev(stead, files, ['--before', 'echo built', 'app.sh']);
    await dev.says(/up 1/);
    remove(files);
    await dev.says(/the directory .* is gone\n[\s\S]*echo built failed .*the program goes on/);
    files.write('app.sh', server('2'));
    await dev.says(/up 2/);
    await dev.end();
  });

  test('with --graph', async () => {
    const files = filesIn(stead, { 'app.js': 'console.log("up 1"); setInterval(() => {}, 1000)' });
    const dev = new Dev(stead, files, ['--graph', 'app.js']);
    await dev.says(/up 1/);
    remove(files);
    await dev.says(/the directory .* is gone/);
    files.write('app.js', 'console.log("up 2"); setInterval(() => {}, 1000)');
    await dev.says(/up 2/);
    await dev.end();
  });
});

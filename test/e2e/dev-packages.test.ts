/**
 * Packages as they come from npm, whose package.json starts nodemon: with `stead dev` in its place they start, restart when a file of theirs is saved, and end. They are
 * installed when STEAD_TEST_FRAMEWORKS=1 asks for it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { steadBin } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { processesMarked } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

interface Package {
  readonly name: string;
  /** Of its package.json. */
  readonly script: string;
  /** What it says when it has started. */
  readonly started: RegExp;
  readonly saved: string;
  env(port: number): NodeJS.ProcessEnv;
}

const packages: readonly Package[] = [
  {
    name: 'feathers-chat@4.0.0',
    script: 'dev',
    started: /application started on/,
    saved: 'src/logger.js',
    env: (port) => ({ NODE_CONFIG: JSON.stringify({ port }) }),
  },
  {
    name: 'mongo-express@1.0.0',
    script: 'start-dev',
    started: /Welcome to mongo-express/,
    saved: 'lib/utils.js',
    env: (port) => ({ PORT: String(port), ME_CONFIG_MONGODB_URL: 'mongodb://127.0.0.1:1' }),
  },
];

const stead = new Stead({ after });
const skip = process.env.STEAD_TEST_FRAMEWORKS !== '1' && 'STEAD_TEST_FRAMEWORKS=1 installs and tests them';

/** Unpacked, with what it needs at run time; the registry alone is asked. Its script is changed in that word only. */
async function install({ name, script }: Package, folder: string): Promise<string> {
  const npm = (...words: string[]) => execute('npm', words, { cwd: folder, timeoutMs: 170_000 });
  const packed = (await npm('pack', '--silent', name)).stdout.trim().split('\n').at(-1)!;
  await execute('tar', ['xzf', packed, '--strip-components=1'], { cwd: folder });
  const path = join(folder, 'package.json');
  const content = JSON.parse(readFileSync(path, 'utf8'));
  const line = /nodemon [^"&]*/.exec(content.scripts[script])![0].trim();
  const needed = Object.entries<string>(content.dependencies).filter(([, version]) => !/[:/]/.test(version));
  const changed = { ...content, devDependencies: {}, dependencies: Object.fromEntries(needed) };
  writeFileSync(path, JSON.stringify({ ...changed, scripts: { dev: line.replace('nodemon', 'stead dev') } }));
  const { code, stderr } = await npm('install', '--ignore-scripts', '--no-audit', '--no-fund');
  assert.equal(code, 0, stderr);
  return line;
}

for (const one of packages) {
  test(`${one.name} with stead dev in the place of nodemon`, { skip }, async (t) => {
    const folder = stead.folder(one.name);
    t.diagnostic(await install(one, folder));
    const bin = stead.folder(`${one.name}-bin`);
    writeFileSync(join(bin, 'stead'), `#!/bin/sh\nexec "${process.execPath}" "${steadBin}" "$@"\n`);
    chmodSync(join(bin, 'stead'), 0o755);
    const env = { ...stead.env, PATH: `${bin}:${process.env.PATH}`, ...one.env(await freePort()) };
    const child = spawn('npm', ['run', 'dev'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const starts = (times: number) =>
      waitFor(`start ${times}`, () => said.split(one.started).length > times, { timeoutMs: 60_000 });
    await starts(1);
    const file = join(folder, one.saved);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n// saved\n`);
    await starts(2);
    // As Ctrl-C does: to all.
    process.kill(-child.pid!, 'SIGINT');
    await once(child, 'close');
    await waitFor('the end of all of it', () => processesMarked(folder).length === 0);
  });
}

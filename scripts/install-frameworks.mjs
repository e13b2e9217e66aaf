/**
 * Installs what test/e2e/frameworks.test.ts runs, builds its Next.js app, and prints the folder: `.build/frameworks/KEY`, made once for each content of
 * test/frameworks. Exit code 3: there is no registry to be had.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'test/frameworks');
const base = join(root, '.build/frameworks');
const noRegistry = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/;

const place = join(base, keyOf());
if (!existsSync(place)) make(`${place}.${process.pid}`);
console.log(place);

function keyOf() {
  const hash = createHash('sha256').update(process.version);
  for (const name of readdirSync(source, { recursive: true }).sort()) {
    const path = join(source, name);
    if (statSync(path).isFile()) hash.update(name).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Whole or not at all; another run may make the same at the same time. */
function make(scratch) {
  for (const name of existsSync(base) ? readdirSync(base) : []) if (isOld(name)) remove(join(base, name));
  mkdirSync(base, { recursive: true });
  cpSync(source, scratch, { recursive: true });
  try {
    run(scratch, 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']);
    run(join(scratch, 'next'), process.execPath, ['../node_modules/next/dist/bin/next', 'build']);
    renameSync(scratch, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
  } finally {
    remove(scratch);
  }
}

/** Of another content, or of an installation that was ended. */
function isOld(name) {
  const pid = name.split('.')[1];
  return pid === undefined || !existsSync(`/proc/${pid}`);
}

function remove(path) {
  rmSync(path, { recursive: true, force: true });
}

function run(cwd, command, words) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', npm_config_update_notifier: 'false' };
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, env, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${command} ${words.join(' ')} → ${status}\n${stdout}${stderr}`);
  remove(dirname(cwd) === base ? cwd : dirname(cwd));
  process.exit(noRegistry.test(stderr) ? 3 : 1);
}

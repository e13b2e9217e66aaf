/** `npm run check`: types, lint and format, import directions, made docs, lock files, tests that docs name. Runs them all, then tells; exit code 1 if one failed. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules/.bin', name);

const checks = [
  ['types', bin('tsc'), ['--noEmit', '-p', '.']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '--colors=off']],
  ['imports', process.execPath, ['scripts/check-imports.mjs']],
  ['made docs', process.execPath, ['scripts/make-docs.mjs', '--check']],
  ['lock files', process.execPath, ['scripts/check-lock.mjs']],
  ['compat', process.execPath, ['scripts/check-compat.mjs']],
];

const failed = checks.filter(([name, command, args]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  console.log(`check ${name}: ${status === 0 ? 'ok' : 'FAILED'}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd());
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;

/**
 * `npm run soak -- SCENARIO [--runs N] [--seed S] [--shell PATH] [--no-cgroup]`: what takes too long for `npm test`. Bounded by its arguments; prints the seed, which
 * repeats a run's choices. Scenarios: daemon-kills, faults, launcher-kills, launcher-kills-full-disk (root), concurrent, syscalls,
 * log-rotation, reloads, terminal-kills, terminal-ends, terminal-many, terminal-clients.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const step = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (step.status !== 0) process.exit(1);
const bundle = join(root, '.build/soak/main.mjs');
mkdirSync(dirname(bundle), { recursive: true });
await build({
  entryPoints: [join(root, 'test/soak/main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
  define: { __STEAD_VERSION__: '"soak"' },
});
const words = process.argv.slice(2);
process.exitCode =
  spawnSync(process.execPath, ['--enable-source-maps', bundle, ...words], { cwd: root, stdio: 'inherit' }).status ?? 1;

/**
 * `npm test [-- FILTER… --node PATH --only-tests]`: builds, checks, bundles every *.test.ts and runs it with node:test. A filter is a part of a test file's path.
 * The last line is `N passed, N failed`. What a test can't do on this machine it prints as `skipped: NAME: REASON`.
 *
 * Afterwards nothing that a test started may be alive: all of it has STEAD_TEST_RUN in its environment, or a home under this run's directory.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const fileLimitMs = 180_000;
const args = process.argv.slice(2);
const nodeAt = args.indexOf('--node');
const node = nodeAt < 0 ? process.execPath : args.splice(nodeAt, 2)[1];
const onlyTests = args.includes('--only-tests') && args.splice(args.indexOf('--only-tests'), 1).length > 0;
const began = Date.now();

const scratch = mkdtempSync(join(tmpdir(), 'stead-test-'));
// Some tests act as another user.
chmodSync(scratch, 0o755);
const mark = `STEAD_TEST_RUN=${basename(scratch)}`;
let passed = 0;
let failed = 0;
const skipped = [];
// Of this run alone: another may go on in this checkout.
const out = join(root, '.build', basename(scratch));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => giveUp(signal));

if (!onlyTests) step('build', [process.execPath, 'scripts/build.mjs']);
if (!onlyTests && args.length === 0) step('check', [process.execPath, 'scripts/check.mjs']);
const bundles = await bundleTests(
  testFiles().filter((file) => args.length === 0 || args.some((filter) => file.includes(filter))),
).catch((error) => {
  console.log(`FAILED: the tests can't be bundled: ${error.message}`);
  failed += 1;
  return [];
});
if (bundles.length === 0 && failed === 0) console.log(`no test file has ${args.join(' or ')} in its path`);
// Four at a time: tests wait for programs more than they compute.
await inParallel(bundles, 4, runFile);
const left = await leftovers();
for (const { pid, command } of left) {
  console.log(`FAILED: left behind: ${pid} ${command}`);
  failed += 1;
}
clear();
for (const line of [...new Set(skipped)].sort()) console.log(line);
console.log(`${Math.round((Date.now() - began) / 1000)} s`);
if (passed + failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function step(name, [command, ...words]) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: root, encoding: 'utf8' });
  console.log(`${stdout}${stderr}`.trimEnd());
  if (status === 0) return;
  failed += 1;
  console.log(`FAILED: ${name}`);
}

function clear() {
  for (const place of [scratch, out]) rmSync(place, { recursive: true, force: true });
}

/** Ended from outside: what the tests started ends, too. */
function giveUp(signal) {
  // Again, as what is killed may be about to start something.
  for (let found = marked(), round = 0; found.length > 0 && round < 20; found = marked(), round++)
    for (const { pid } of found) kill(pid);
  clear();
  console.log(`ended by ${signal}\n${passed} passed, ${failed + 1} failed`);
  process.exit(1);
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** Those that load the machine for long are spread among the others, and none of them comes last. */
function testFiles() {
  const [heavy, ...others] = ['test/faults', 'test/e2e', 'src'].map((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
  const light = others.flat();
  const step = Math.ceil(light.length / heavy.length);
  return heavy.flatMap((file, at) => [file, ...light.slice(at * step, (at + 1) * step)]);
}

async function bundleTests(files) {
  mkdirSync(out, { recursive: true });
  if (files.length === 0) return [];
  await build({
    entryPoints: files.map((file) => join(root, file)),
    outdir: out,
    outbase: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [seeded()],
    define: { __STEAD_VERSION__: JSON.stringify(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version) },
  });
  return files.map((file) => ({ file, bundle: join(out, file.replace(/\.ts$/, '.mjs')) }));
}

/** A suite that tries other cases each time fails one day for what somebody else did long ago. */
function seeded() {
  return {
    name: 'seeded fast-check',
    setup(building) {
      const file = join(root, 'test/support/seeded-fast-check.mjs');
      building.onResolve({ filter: /^fast-check$/ }, ({ importer }) => (importer === file ? null : { path: file }));
    },
  };
}

async function inParallel(items, width, work) {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item; item = queue.shift()) await work(item);
    }),
  );
}

/** One process per file; its report is TAP. */
async function runFile({ file, bundle }) {
  const started = Date.now();
  const child = spawn(node, ['--enable-source-maps', '--test-reporter=tap', bundle], {
    cwd: root,
    env: {
      ...process.env,
      PATH: searchable(process.env.PATH ?? ''),
      STEAD_TEST_RUN: basename(scratch),
      STEAD_TEST_ROOT: scratch,
      TMPDIR: scratch,
      NODE_NO_WARNINGS: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), fileLimitMs);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const counts = { passed: count('pass'), failed: count('fail') + count('cancelled') };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  passed += counts.passed;
  failed += counts.failed;
  skipped.push(
    ...output
      .split('\n')
      .map((line) => /^[# ]*(skipped: .*)$/.exec(line)?.[1])
      .filter(Boolean),
  );
  skipped.push(...skipsOf(output, file));
  console.log(
    `${counts.failed === 0 ? 'ok    ' : 'FAILED'} ${file} (${counts.passed} passed${counts.failed ? `, ${counts.failed} failed` : ''}, ${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
  if (counts.failed > 0) console.log(failuresOf(output, code));
}

/**
 * PATH without folders that may not be searched, such as root's own in an `su` without `-`: with one of them execvp(3) says of a command that is nowhere
 * that it is not permitted (126), not that it is not found (127).
 */
function searchable(path) {
  return path
    .split(':')
    .filter((folder) => {
      try {
        accessSync(join(folder, '.'), constants.X_OK);
        return true;
      } catch (error) {
        return error.code !== 'EACCES';
      }
    })
    .join(':');
}

function skipsOf(output, file) {
  return [...output.matchAll(/^ *ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map(
    ([, name, reason]) => `skipped: ${name} (${file}): ${reason || 'no reason given'}`,
  );
}

/** The parts of a TAP report that say what failed. */
function failuresOf(output, code) {
  const lines = output.split('\n');
  const kept = [];
  let keeping = false;
  for (const line of lines) {
    if (/^ *not ok /.test(line)) keeping = true;
    else if (/^ *(ok \d|# Subtest)/.test(line)) keeping = false;
    if (keeping && !/^ *(---|\.\.\.|duration_ms|type:|location:)/.test(line)) kept.push(line);
  }
  const text = kept.length > 0 ? kept.join('\n') : lines.slice(-40).join('\n');
  return `${text.slice(0, 20_000)}\n(exit ${code === null ? `by signal: over ${fileLimitMs / 1000} s?` : code})`;
}

/** Processes that tests left, given a second to end. They are killed. */
async function leftovers() {
  const deadline = Date.now() + 2000;
  let found = marked();
  while (found.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    found = marked();
  }
  for (const { pid } of found) kill(pid);
  return found;
}

/** What has an environment of its own making still has a path of this run in its words, or as its directory. */
function marked() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), command: wordsOf(name, 'cmdline').join(' ').trim() }))
    .filter(
      ({ pid, command }) =>
        command.includes(scratch) ||
        directoryOf(pid).startsWith(scratch) ||
        wordsOf(pid, 'environ').some((entry) => entry === mark || entry.startsWith(`STEAD_HOME=${scratch}`)),
    );
}

function wordsOf(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

function directoryOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

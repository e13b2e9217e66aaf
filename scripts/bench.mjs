/**
 * `npm run bench [-- ROW…] [--runs N]`: measures stead beside its peers, each row in one interleaved run, and prints medians and ratios. The rows are the
 * files of bench/rows/; figures are kept in docs/benchmarks.json, and docs/benchmarks.md is made of them: rows that did not run keep theirs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endAll } from '../bench/support/tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const runsAt = args.indexOf('--runs');
const runs = runsAt < 0 ? null : Number(args.splice(runsAt, 2)[1]);
if (runs !== null && !(Number.isInteger(runs) && runs > 0)) {
  console.error('--runs takes a whole number from 1 on');
  process.exit(2);
}

const files = readdirSync(join(root, 'bench/rows'))
  .filter((name) => name.endsWith('.mjs'))
  .sort();
const rows = await Promise.all(files.map(async (file) => (await import(join(root, 'bench/rows', file))).row));
const unknown = args.filter((name) => !rows.some((row) => row.name.includes(name)));
if (unknown.length > 0) {
  console.error(`no row has ${unknown.join(', ')} in its name; there are: ${rows.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}
prepare();
for (const row of rows.filter(({ name }) => args.length === 0 || args.some((part) => name.includes(part)))) {
  const scratch = mkdtempSync(join(tmpdir(), 'stead-bench-'));
  const context = { root, scratch, runs: runs ?? row.runs, tools: [], running: new Set(), isInterrupted: false };
  const interrupted = async (signal) => {
    if (context.isInterrupted) return;
    await endAll(context);
    rmSync(scratch, { recursive: true, force: true });
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupted);
  try {
    const figures = await row.run(context);
    const result = { at: new Date().toISOString(), title: row.title, target: row.target, ...figures };
    print(row, result);
    keep(row.name, result);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, interrupted);
    // While it is being interrupted, the scratch directory is still needed, and that removes it.
    await (context.isInterrupted && new Promise(() => {}));
    rmSync(scratch, { recursive: true, force: true });
  }
}

function prepare() {
  const step = (command, words, cwd) => {
    const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stdout}${stderr}`);
  };
  step(process.execPath, [join(root, 'scripts/build.mjs')], root);
  if (!existsSync(join(root, 'bench/node_modules/pm2')))
    step('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], join(root, 'bench'));
}

/** Read again for each row, as another run may have written meanwhile. */
function keep(name, result) {
  const results = { ...readResults(), [name]: result };
  writeFileSync(join(root, 'docs/benchmarks.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(root, 'docs/benchmarks.md'), page(results));
}

function readResults() {
  try {
    return JSON.parse(readFileSync(join(root, 'docs/benchmarks.json'), 'utf8'));
  } catch {
    return {};
  }
}

function print(row, { values, checks }) {
  console.log(`\n${row.title} (${row.name})`);
  for (const [what, value] of Object.entries(values)) console.log(`  ${what.padEnd(34)} ${value}`);
  for (const check of checks) console.log(`  ${check.met ? 'met   ' : 'MISSED'} ${check.text}`);
}

function page(all) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lines = [
    '# Benchmarks',
    '',
    `Made by \`npm run bench\`. stead ${version}, Node ${process.versions.node}, Linux ${release()}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB. Each row was measured in one run, its programs in turn; figures are medians. The machine is shared and its timings are noisy: the ratios are what counts.`,
    '',
  ];
  for (const { name } of rows) {
    const result = all[name];
    if (!result) continue;
    lines.push(
      `## ${result.title}`,
      '',
      `\`npm run bench -- ${name}\`, ${result.at.slice(0, 10)}. ${result.how ?? ''}`.trim(),
      '',
      '| | |',
      '|---|---:|',
    );
    for (const [what, value] of Object.entries(result.values)) lines.push(`| ${what} | ${value} |`);
    lines.push('');
    for (const check of result.checks) lines.push(`- ${check.met ? 'met' : '**missed**'}: ${check.text}`);
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

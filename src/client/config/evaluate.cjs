/**
 * Run in a process of its own by evaluate-config.ts: loads the config that argv[2] names, and writes what it exports to descriptor 3 as JSON. What it prints goes
 * to stderr. argv[3] is the name of the profile, which a function is given; argv[4] where jiti lies, for TypeScript.
 */
const [, , file, profile, jitiPath] = process.argv;
const { writeSync } = require('node:fs');
const { pathToFileURL } = require('node:url');

// Who is asked how it was started must not find this.
process.argv.splice(1, process.argv.length - 1, file);

load().then(
  (value) => end({ value }),
  (error) => end({ error: wordsOf(error) }),
);

async function load() {
  let value = exported(await imported());
  if (typeof value === 'function') value = await value({ env: process.env, profile: profile || null });
  return plain(await value, new Set());
}

function imported() {
  if (!/\.[cm]?tsx?$/.test(file)) return import(pathToFileURL(file).href);
  const { createJiti } = require(jitiPath);
  return createJiti(file, { fsCache: false, moduleCache: false, interopDefault: false }).import(file);
}

/** `export default`, `module.exports`, or a module of names. */
function exported(module) {
  const names = Object.keys(module).filter(
    (name) => name !== 'default' && name !== 'module.exports' && name !== '__esModule',
  );
  if (names.includes('apps')) return Object.fromEntries(names.map((name) => [name, module[name]]));
  const value = 'default' in module ? module.default : undefined;
  // TypeScript that was compiled to CommonJS.
  if (value !== null && typeof value === 'object' && value.__esModule && 'default' in value) return value.default;
  return value ?? (names.length > 0 ? Object.fromEntries(names.map((name) => [name, module[name]])) : undefined);
}

/** Without what JSON would lose without a word. */
function plain(value, above) {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value === 'bigint' || value instanceof RegExp) return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value.toISOString();
  if (above.has(value)) throw new Error('it holds itself');
  if (above.size > 50) throw new Error('it is nested too deeply');
  const inside = new Set(above).add(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, inside) ?? null);
  return Object.fromEntries(Object.keys(value).map((key) => [key, plain(value[key], inside)]));
}

function wordsOf(error) {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const at = /^\s+at .*?((?:file:\/\/)?\/[^\s()]+:\d+:\d+)\)?$/m.exec(error.stack ?? '');
  const isOwn = at !== null && !at[1].includes('/evaluate.cjs:');
  return `${error.name}: ${error.message}${isOwn ? ` (${at[1].replace('file://', '')})` : ''}`;
}

/** Who asked ends this process, and finds what it has started by it; but for that one's own end. */
function end(answer) {
  const bytes = Buffer.from(`${JSON.stringify(answer)}\n`);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(3, bytes, done);
    setTimeout(() => process.exit(0), 5000);
  } catch {
    process.exit(0);
  }
}

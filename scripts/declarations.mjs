/**
 * The types of an entry as one file: what tsc declares of it and of all that it names, put together without imports. One file can be a `.d.cts` as well as a `.d.mts`, where
 * several would have to be there twice.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The text of it. Throws what tsc says, and where two files declare the same name. */
export async function declarations(entry) {
  const out = mkdtempSync(join(tmpdir(), 'stead-types-'));
  try {
    await emit(entry, out);
    const files = new Map();
    const top = join(out, relative(join(root, 'src'), entry).replace(/\.ts$/, '.d.ts'));
    collect(top, files);
    return joined([...files.values()], valuesOf(readFileSync(top, 'utf8')));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function emit(entry, out) {
  const options = ['--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--outDir', out];
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const kept = Object.entries(compilerOptions)
    .filter(([name]) => name !== 'noEmit')
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  const words = ['--ignoreConfig', ...kept, ...options, '--rootDir', join(root, 'src'), entry];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), words, { cwd: root }).catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
}

const fromFile = /^(?:import|export) [^;]*?from '(\.[^']+)';\n?/gms;

/** Those first that others name. */
function collect(path, files) {
  if (files.has(path)) return;
  files.set(path, null);
  const text = readFileSync(path, 'utf8');
  for (const [, target] of text.matchAll(fromFile))
    collect(join(dirname(path), target.replace(/\.ts$/, '.d.ts')), files);
  files.delete(path);
  files.set(path, text.replaceAll(fromFile, '').replaceAll(/^export \{\};\n/gm, ''));
}

const declared = /^(?:export )?(?:declare )?(interface|type|class|function|const) (\w+)/gm;

/** Exported are all types, and the values that the entry itself exports. */
function joined(texts, values) {
  const all = texts.flatMap((text) => [...text.matchAll(declared)].map(([, kind, name]) => ({ kind, name })));
  const twice = all.find(({ name }, at) => all.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) throw new Error(`two files of the API declare "${twice.name}"`);
  const types = all.filter(({ kind }) => kind === 'interface' || kind === 'type').map(({ name }) => name);
  const body = texts
    .join('\n')
    .replaceAll(/^export (?=declare|interface|type)/gm, '')
    .replaceAll(/^(?=interface|type)/gm, 'declare ');
  return `${body}\nexport { ${values.join(', ')} };\nexport type { ${types.sort().join(', ')} };\n`;
}

function valuesOf(text) {
  return [...text.matchAll(/^export \{([^}]*)\} from/gm)]
    .flatMap(([, names]) => names.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && !name.startsWith('type '));
}

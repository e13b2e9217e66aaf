/**
 * Checks that imports in src/ point downwards only and make no cycle at run time (types may name each other). Each violation is one line; exit code 1
 * if there is any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

const capabilities = [
  'foreign',
  'launcher',
  'logs',
  'metrics',
  'programs',
  'sockets',
  'storage',
  'systemd',
  'terminal',
  'watch',
];
const ground = ['host', 'protocol', 'config', 'lifecycle'];
/** Which folders the files of a folder may import, besides their own. */
const allowed = {
  host: [],
  protocol: [],
  lifecycle: ['protocol'],
  config: ['protocol'],
  // Reads and writes files of other tools.
  foreign: ['host', 'protocol', 'config'],
  launcher: ['host', 'protocol', 'config'],
  logs: ['host', 'protocol', 'config'],
  metrics: ['host', 'protocol', 'config'],
  programs: ['host', 'protocol', 'config'],
  sockets: ['host', 'protocol', 'config'],
  systemd: ['host', 'protocol', 'config'],
  terminal: ['host', 'protocol', 'config'],
  watch: ['host', 'protocol', 'config'],
  // Migration fills in the defaults of options and of the automaton.
  storage: ['host', 'protocol', 'config', 'lifecycle'],
  dev: ['host', 'protocol', 'config', 'metrics', 'programs', 'storage', 'watch'],
  view: [...ground, ...capabilities],
  daemon: [...ground, ...capabilities, 'view'],
  client: [...ground, ...capabilities, 'view'],
  api: ['client', 'config', 'host', 'protocol', 'terminal'],
  cli: ['client', 'config', 'dev', 'foreign', 'protocol', 'logs', 'systemd', 'terminal', 'watch', 'host', 'lifecycle'],
  entry: [...ground, ...capabilities, 'view', 'daemon', 'client', 'dev', 'api', 'cli'],
};

const files = readdirSync(src, { recursive: true })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .sort();
const importsOf = new Map(files.map((file) => [file, readImports(file, { types: true })]));
const neededBy = new Map(files.map((file) => [file, readImports(file, { types: false })]));
const problems = [...files.flatMap(directionProblems), ...cycles()];
for (const problem of problems) console.log(problem);
console.log(
  problems.length === 0
    ? `imports: ${files.length} files, all downwards, no cycle`
    : `imports: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function readImports(file, { types }) {
  const whole = readFileSync(join(src, file), 'utf8');
  const text = types ? whole : whole.replace(/^(?:import|export) type\s[^;]*;/gm, '');
  const targets = [...text.matchAll(/^(?:import|export)\s(?:[^;]*?\sfrom\s)?'(\.[^']+)'/gms)].map((match) => match[1]);
  if (types) targets.push(...[...text.matchAll(/\bimport\(\s*'(\.[^']+)'/g)].map((match) => match[1]));
  return targets.map((target) => relative(src, join(src, dirname(file), target)));
}

function directionProblems(file) {
  const folder = file.split('/')[0];
  if (!(folder in allowed)) return [`${file}: folder "${folder}" has no rule in scripts/check-imports.mjs`];
  return importsOf
    .get(file)
    .filter((target) => {
      const other = target.split('/')[0];
      return other !== folder && !allowed[folder].includes(other);
    })
    .map((target) => `${file} imports ${target}: ${folder}/ may import ${allowed[folder].join(', ') || 'nothing'}`);
}

function cycles() {
  const state = new Map();
  const found = [];
  const visit = (file, path) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const target of neededBy.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  return found;
}

/** `npm run build`: bundles each entry with esbuild into dist/. CommonJS, as an ES module costs a command 5 ms of start-up. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { declarations } from './declarations.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const began = performance.now();
const dist = join(root, 'dist');
const beside = `${dist}.${process.pid}`;
process.once('exit', () => rmSync(beside, { recursive: true, force: true }));

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  legalComments: 'inline',
  minifySyntax: true,
  minifyWhitespace: true,
  define: { __STEAD_VERSION__: JSON.stringify(version) },
};

// A process of its own, beside esbuild's.
const types = declarations(join(root, 'src/entry/api.ts'));
const commands = readdirSync(join(root, 'src/cli/commands'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => join(root, 'src/cli/commands', name));

mkdirSync(join(beside, 'commands'), { recursive: true });
await Promise.all([
  ...['cli', 'daemon', 'pty-host', 'start-daemon', 'api'].map((name) =>
    build({ ...shared, entryPoints: [join(root, `src/entry/${name}.ts`)], outfile: join(beside, `${name}.cjs`) }),
  ),
  // One file that lies beside units of systemd, where no stead need be.
  build({
    ...shared,
    target: 'node18',
    entryPoints: [join(root, 'src/sockets/listen-fds.cjs')],
    outfile: join(beside, 'stead-listen.cjs'),
  }),
  // pm2's command line is one bundle, too, as seldom more than one of its verbs is called.
  ...['stead-pm2', 'stead-pm2-runtime'].map((name) =>
    build({
      ...shared,
      entryPoints: [join(root, `src/entry/${name}.ts`)],
      outfile: join(beside, `commands/${name}.cjs`),
    }),
  ),
  // Each verb whole by itself: one process loads two files at most.
  build({ ...shared, entryPoints: commands, outdir: join(beside, 'commands'), outExtension: { '.js': '.cjs' } }),
]);
// Thin: whoever imports and whoever requires it have the same classes.
writeFileSync(
  join(beside, 'api.mjs'),
  "import api from './api.cjs';\nexport const { connect, SteadError } = api;\nexport default api;\n",
);
for (const name of ['api.d.cts', 'api.d.mts']) writeFileSync(join(beside, name), await types);
const bundled = ['listen-fds.cjs', 'listen-addresses.cjs'];
// What is not bundled: a shell or a program's Node runs it as it is.
const scripts = ['src/launcher', 'src/sockets', 'src/systemd', 'src/watch'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => /\.(sh|cjs)$/.test(name) && !bundled.includes(name))
    .map((name) => {
      copyFileSync(join(root, folder, name), join(beside, name));
      return name;
    }),
);
copyFileSync(join(root, 'src/client/config/evaluate.cjs'), join(beside, 'evaluate.cjs'));
const openapi = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'));
writeFileSync(join(beside, 'openapi.json'), JSON.stringify(openapi));

// What is copied into a home, under a name that changes with its content.
const hash = createHash('sha256');
const files = ['daemon.cjs', 'pty-host.cjs', 'openapi.json', ...scripts.sort()];
for (const name of files) hash.update(readFileSync(join(beside, name)));
// Goes there with them, out of node_modules.
hash.update(JSON.stringify(optionalDependencies));
const id = hash.digest('hex').slice(0, 8);
writeFileSync(join(beside, 'build.json'), `${JSON.stringify({ version, id, files })}\n`);

replace(beside, dist);
console.log(`built ${basename(dist)}: version ${version}, build ${id}, ${Math.round(performance.now() - began)} ms`);

/** File by file, each renamed into place: a command that runs meanwhile finds all of them, and none half written. */
function replace(from, to) {
  mkdirSync(join(to, 'commands'), { recursive: true });
  const list = (directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = (directory) =>
    list(directory).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  const fresh = paths(from);
  for (const path of paths(to)) if (!fresh.includes(path)) rmSync(join(to, path), { force: true });
  for (const path of fresh) renameSync(join(from, path), join(to, path));
  if (!existsSync(join(to, 'cli.cjs'))) throw new Error('nothing was built');
}

/**
 * Loaded first into a Node program of which only what it imports is watched: writes the path of each file that is loaded to the file that STEAD_GRAPH names, a line
 * each. It asks V8 which scripts there are, which knows of `require` and `import` alike, needs no IPC channel (to a program a `process.send` means something) and
 * no loader hooks (a thread, 14 MB, and other rules for CommonJS). JSON is no script. What was looked for and isn't there is written down as well, by the paths at which it
 * would be found: where `require` finds nothing, and where an error that nobody catches says so. Threads and Node children do the same; nobody else sees of it in an
 * environment. What fails here is no concern of the program, also where a Node is too old for it.
 */
const key = 'stead.graph';
const main = process.argv[1] || '';
// Who only starts the program hands it on.
const isRunner = /[\\/](?:npm|npx|yarn|pnpm|pnpx|corepack)(?:-cli)?(?:\.c?js)?$/.test(main);
if (!isRunner) quietly(begin);

function begin() {
  const path = process.env.STEAD_GRAPH;
  takeFromEnvironment();
  const threads = require('node:worker_threads');
  const file = threads.isMainThread ? path : threads.getEnvironmentData(key);
  if (!file) return;
  const fs = require('node:fs');
  const fd = fs.openSync(file, 'a');
  const say = (line) => quietly(() => fs.writeSync(fd, `${line}\n`));
  tellLoaded(say);
  tellMissing(say);
  threads.setEnvironmentData(key, file);
  handOnToChildren(file);
}

function tellLoaded(say) {
  const { Session } = require('node:inspector');
  const { fileURLToPath } = require('node:url');
  const session = new Session();
  session.connect();
  const tell = ({ params: { url } }) => {
    if (url.startsWith('file:')) quietly(() => say(fileURLToPath(url)));
    else if (url.startsWith('/')) say(url);
  };
  session.on('Debugger.scriptParsed', tell);
  session.on('Debugger.scriptFailedToParse', tell);
  session.post('Debugger.enable');
  // A `debugger` statement would stop whoever could go on.
  session.post('Debugger.setSkipAllPauses', { skip: true });
  const { _extensions: extensions } = require('node:module');
  const json = extensions['.json'];
  extensions['.json'] = (module, filename) => {
    say(filename);
    return json(module, filename);
  };
}

function tellMissing(say) {
  const Module = require('node:module');
  const find = Module._findPath;
  // Node throws after it has returned: in no stack is it seen.
  Module._findPath = function (request, paths, ...rest) {
    const found = find.call(this, request, paths, ...rest);
    if (!found) quietly(() => tellCandidates(say, request, paths));
    return found;
  };
  process.on('uncaughtExceptionMonitor', (error) => quietly(() => tellOfError(say, error)));
}

/** Packages look for what they can do without: only files of the program count here. */
function tellCandidates(say, request, paths) {
  const { isAbsolute, join, resolve } = require('node:path');
  const isFile = isAbsolute(request) || /^\.{1,2}(?:\/|$)/.test(request);
  if (!isFile) return;
  for (const from of isAbsolute(request) ? ['/'] : paths) {
    const path = resolve(from, request);
    if (!isAbsolute(from) || path.includes('/node_modules/')) continue;
    const endings = ['', ...Object.keys(require('node:module')._extensions)];
    for (const ending of endings) say(path + ending);
    for (const ending of endings.slice(1)) say(join(path, `index${ending}`));
    say(join(path, 'package.json'));
  }
}

function tellOfError(say, { code, url = '', message, requireStack = [] }) {
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return;
  const [, wanted = '', importer = requireStack[0]] =
    /^Cannot find \w+ '([^']+)'(?: imported from (.+))?/.exec(message) || [];
  if (url.startsWith('file:')) say(require('node:url').fileURLToPath(url));
  else if (wanted.startsWith('/')) say(wanted);
  else if (importer && /^[^.]/.test(wanted)) tellPackage(say, wanted, importer);
}

function tellPackage(say, request, importer) {
  const { dirname, join } = require('node:path');
  const [name] = /^(?:@[^/]+\/)?[^/]+/.exec(request);
  for (const path of require('node:module')._nodeModulePaths(dirname(importer))) say(join(path, name, 'package.json'));
}

/** Of all children only those that Node runs: what another program gets is the program's own affair. */
function handOnToChildren(path) {
  const { ChildProcess } = require('node:child_process');
  const spawn = ChildProcess.prototype.spawn;
  ChildProcess.prototype.spawn = function (options) {
    quietly(() => {
      if (isNode(options.file)) options.envPairs = withGraph(options.envPairs, path);
    });
    return spawn.call(this, options);
  };
}

const isNode = (command) => command === process.execPath || /(?:^|\/)node$/.test(command);

function withGraph(pairs, path) {
  const before = pairs.find((pair) => pair.startsWith('NODE_OPTIONS='));
  const option = `--require="${__filename.replace(/[\\"]/g, '\\$&')}"`;
  const options = [option, before ? before.slice('NODE_OPTIONS='.length) : ''].join(' ').trim();
  return [...pairs.filter((pair) => pair !== before), `NODE_OPTIONS=${options}`, `STEAD_GRAPH=${path}`];
}

function takeFromEnvironment() {
  delete process.env.STEAD_GRAPH;
  const options = process.env.NODE_OPTIONS;
  if (!options) return;
  const others = options.replace(/(?:^| )--require="((?:[^"\\]|\\.)*)"/g, (option, path) =>
    path.replace(/\\(.)/g, '$1') === __filename ? '' : option,
  );
  if (others.trim() === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = others.trim();
}

function quietly(work) {
  try {
    work();
  } catch {
    // Then it is not told.
  }
}

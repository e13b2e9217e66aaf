/**
 * Loaded first into a Node program of which only what it imports is watched: writes the path of each file that is loaded to the file that STEAD_GRAPH names, a line
 * each. It asks V8 which scripts there are, which knows of `require` and `import` alike, needs no IPC channel (to a program a `process.send` means something) and
 * no loader hooks (a thread, 14 MB, and other rules for CommonJS). JSON is no script. What fails here is no concern of the program, also where a Node is too
 * old for it.
 */
const file = process.env.STEAD_GRAPH;
const main = process.argv[1] || '';
// Who only starts the program hands it on.
const isRunner = /[\\/](?:npm|npx|yarn|pnpm|pnpx|corepack)(?:-cli)?(?:\.c?js)?$/.test(main);
if (!isRunner) {
  takeFromEnvironment();
  if (file) quietly(() => report(file));
}

function report(file) {
  const fs = require('node:fs');
  const fd = fs.openSync(file, 'a');
  const say = (path) => quietly(() => fs.writeSync(fd, `${path}\n`));
  const { Session } = require('node:inspector');
  const { fileURLToPath } = require('node:url');
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (url.startsWith('file:')) quietly(() => say(fileURLToPath(url)));
    else if (url.startsWith('/')) say(url);
  });
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

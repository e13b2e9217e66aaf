import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { parseExtensions } from './extensions.ts';
import { withGitignore } from './gitignore.ts';
import { defaultRules, makeRules, type Place, type RuleOptions } from './rules.ts';

const cwd = '/home/u/app';

interface Case {
  readonly roots?: readonly string[];
  readonly rules?: Partial<RuleOptions>;
  /** `.gitignore` files, by their directory relative to cwd. */
  readonly gitignores?: Readonly<Record<string, string>>;
  readonly directories?: readonly string[];
  readonly files?: readonly string[];
  readonly watched: readonly string[];
  readonly ignored: readonly string[];
}

/** Whether a file is watched, going down to it from a root as a scan does. */
function isWatched(
  path: string,
  { roots = [], rules = {}, gitignores = {}, directories = [], files = [] }: Case,
): boolean {
  const absolute = (one: string) => (one.startsWith('/') ? one : one === '.' ? cwd : `${cwd}/${one}`);
  const kindOf = (one: string) => {
    if (one === cwd || directories.some((directory) => absolute(directory) === one)) return 'directory';
    return files.some((file) => absolute(file) === one) ? 'file' : null;
  };
  const made = makeRules(roots, { ...defaultRules, cwd, ...rules }, { kindOf });
  const file = absolute(path);
  return made.roots.some((root) => {
    if (root.kind === 'file') return root.path === file;
    if (!file.startsWith(`${root.path}/`)) return false;
    const above = root.path === cwd ? [] : withGitignore([], cwd, gitignores['.'] ?? '');
    const own = gitignores[root.path === cwd ? '.' : root.path.slice(cwd.length + 1)];
    let place: Place | null = made.begin(root, above);
    if (own !== undefined) place = made.add(place, root.path, own);
    const between = dirname(file).slice(root.path.length).split('/').filter(Boolean);
    let at = root.path;
    for (const name of between) {
      at = `${at}/${name}`;
      place = made.enter(place, at, name);
      if (place === null) return false;
      const text = gitignores[at.slice(cwd.length + 1)];
      if (text !== undefined) place = made.add(place, at, text);
    }
    const watched = made.isWatched(place, file, basename(file));
    if (watched) assert.ok(made.isCandidate(place, file, basename(file)), `${path} is watched, but no candidate`);
    return watched;
  });
}

const cases: Readonly<Record<string, Case>> = {
  'by default: sources below the directory of the app': {
    watched: ['a.js', 'a.mjs', 'x/y/z.cjs', 'package.json', 'src/coverage.js', 'dist/a.js'],
    ignored: ['a.css', 'a.ts', 'js', '.js', 'README', '/home/u/b.js'],
  },
  'packages, version control, coverage, editors at any depth': {
    rules: { ext: null, dotfiles: true },
    watched: ['Makefile', 'x/a.css', '.env', 'x/.config/a'],
    ignored: [
      ...[
        'node_modules/a/b.js',
        'x/node_modules/a.js',
        '.git/HEAD',
        'x/.hg/y',
        'coverage/a.js',
        'x/__pycache__/a',
        'a.pyc',
      ],
      ...[
        'a.js~',
        '.a.js.swp',
        '.a.js.swx',
        '4913',
        '#a.js#',
        '.#a.js',
        'a.js___jb_tmp___',
        '.DS_Store',
        'npm-debug.log',
      ],
    ],
  },
  'names that begin with a dot only where named': {
    roots: ['.', '.github', '**/.env.*'],
    rules: { ext: ['js', 'yml'] },
    directories: ['.github'],
    watched: ['.github/ci.yml', '.github/x/ci.yml', '.env.local', 'x/.env.test'],
    ignored: ['.eslintrc.js', '.storybook/main.js', '.github/.x/ci.yml', '.other/.env.local'],
  },
  'ignore patterns as lines of a .gitignore': {
    rules: {
      ignore: [
        'logs',
        '/tmp',
        'gen/',
        '*.test.js',
        'a/*.js',
        '!a/keep.js',
        './only',
        'deep/**/x.js',
        '/home/u/app/abs',
      ],
    },
    directories: ['/home'],
    watched: ['src/tmp/a.js', 'a/keep.js', 'a/b/c.js', 'src/only/a.js', 'deep/y.js', 'src/gen.js'],
    ignored: [
      'logs/a.js',
      'src/logs/a.js',
      'tmp/a.js',
      'x/gen/a.js',
      'a.test.js',
      'a/b.js',
      'only/a.js',
      'deep/1/2/x.js',
      'abs/a.js',
    ],
  },
  'ignore patterns that lead out of the app': {
    roots: ['../lib', '.'],
    rules: { ignore: ['../lib/gen', '/home/u/lib/*.tmp.js', '*.spec.js'] },
    directories: ['/home/u/lib', '/home'],
    watched: ['/home/u/lib/a.js', 'a.js'],
    ignored: ['/home/u/lib/gen/a.js', '/home/u/lib/a.tmp.js', '/home/u/lib/x/a.spec.js'],
  },
  'gitignore files, the nearest first': {
    gitignores: { '.': 'dist\n*.gen.js\n# comment\nsub/*.js', sub: '!keep.js\n!x.gen.js', 'sub/deep': '/here.js' },
    watched: ['a.js', 'sub/keep.js', 'sub/x.gen.js', 'sub/deep/a.js', 'sub/deep/x/here.js'],
    ignored: ['dist/a.js', 'x/dist/a.js', 'a.gen.js', 'sub/a.js', 'sub/deep/here.js'],
  },
  'gitignore files off': {
    rules: { gitignore: false },
    watched: ['dist/a.js', 'a.gen.js'],
    ignored: [],
  },
  'what is in a gitignore file, but named itself': {
    roots: ['dist', 'build/out'],
    directories: ['dist', 'build/out'],
    gitignores: { '.': 'dist\nbuild/\n*.gen.js' },
    watched: ['dist/a.js', 'dist/x/a.js', 'build/out/a.js'],
    ignored: ['build/a.js', 'a.js'],
  },
  'where the program lies is watched though git ignores it': {
    rules: { always: ['dist/server.js'] },
    gitignores: { '.': 'dist\nout' },
    watched: ['dist/server.js', 'dist/lib/a.js'],
    ignored: ['out/a.js'],
  },
  'globs as roots': {
    roots: ['src/**/*.css', 'lib/**', '!lib/old', 'conf/*.*'],
    watched: ['src/a.css', 'src/x/y.css', 'lib/a.js', 'lib/x/a.js', 'conf/a.ini'],
    ignored: ['src/a.js', 'lib/a.css', 'lib/old/a.js', 'conf/x/a.ini', 'a.js'],
  },
  'a file as a root has any extension': {
    roots: ['app.conf'],
    files: ['app.conf'],
    watched: ['app.conf'],
    ignored: ['a.js'],
  },
  "stead's own files": {
    rules: { own: [`${cwd}/home`, `${cwd}/logs/a.json`] },
    watched: ['logs/b.json'],
    ignored: ['home/apps/x.json', 'logs/a.json'],
  },
  'nodemon: everything, by extension': {
    rules: { style: 'nodemon' },
    watched: ['a.js', 'x/y.json'],
    ignored: ['a.css', '.eslintrc.json', 'x/.y/a.js', 'node_modules/a.js', 'lib/.git/a.js', 'coverage/a.js'],
  },
  'nodemon: a dot is all of it': {
    roots: ['.'],
    rules: { style: 'nodemon' },
    watched: ['a.js', 'x/a.js'],
    ignored: ['a.css'],
  },
  'nodemon: any extension, or none': {
    rules: { style: 'nodemon', ext: null },
    watched: ['Makefile', 'x/LICENSE', 'a.css'],
    ignored: ['.env', 'node_modules/a/README'],
  },
  'nodemon: ignoreRoot lifted': {
    rules: { style: 'nodemon', ignoreRoot: [] },
    watched: ['node_modules/a/b.js', 'coverage/a.js'],
    ignored: ['.git/a.js'],
  },
  'nodemon: an ignoreRoot of its own': {
    rules: { style: 'nodemon', ignoreRoot: ['**/vendor/**'] },
    watched: ['node_modules/a/b.js'],
    ignored: ['vendor/a.js', 'x/vendor/y/a.js'],
  },
  'nodemon: ignore rules': {
    rules: {
      style: 'nodemon',
      ignore: ['lib/', 'tests/*.js', '*.spec.js', './only.js', 'public/*', 'x/a.js # comment', 'dir'],
    },
    directories: ['lib', 'public', 'dir'],
    watched: ['tests/a.json', 'src/only.js', 'a.js'],
    ignored: [
      'lib/a.js',
      'lib/x/a.js',
      'tests/a.js',
      'src/tests/a.js',
      'y/a.spec.js',
      'only.js',
      'public/x/a.js',
      'x/a.js',
      'dir/a.js',
    ],
  },
  'nodemon: ignore beats watch': {
    roots: ['lib/*.js', '!lib/b.js'],
    rules: { style: 'nodemon', ignore: ['lib/a.js'] },
    watched: ['lib/c.js'],
    ignored: ['lib/a.js', 'lib/b.js', 'c.js'],
  },
  'nodemon: a rule that ends in *.* is for any extension': {
    roots: ['config/*.*', 'src/**/*.css'],
    rules: { style: 'nodemon' },
    directories: ['config'],
    watched: ['config/a.ini', 'config/a.js'],
    // As nodemon has it, the extension counts as well.
    ignored: ['src/a.css', 'a.js'],
  },
  'nodemon: directories and files': {
    roots: ['lib', '.conf', 'app.yaml'],
    rules: { style: 'nodemon' },
    directories: ['lib', '.conf'],
    files: ['app.yaml'],
    watched: ['lib/a.js', 'lib/x/y.json', '.conf/a.json', 'lib/.a.js', 'app.yaml'],
    ignored: ['a.js', 'lib/a.css'],
  },
  "pm2: paths and globs from the app's directory": {
    rules: { style: 'pm2', ext: null, dotfiles: true, ignore: ['logs', '*.log', 'a/**/b', '/home/u/app/abs', './rel'] },
    watched: ['src/logs/a', 'src/a.log', 'x.css', '.env'],
    ignored: ['logs/a', 'logs/x/y', 'a.log', 'a/x/b/c.js', 'abs/x', 'rel/x', 'node_modules/x'],
  },
  'pm2: its way to say that dots are ignored': {
    rules: { style: 'pm2', ext: null, dotfiles: true, ignore: ['[\\/\\\\]\\.', 'node_modules'] },
    watched: ['a.css'],
    ignored: ['.env', 'x/.y/a'],
  },
  'forever: globs from the root, bare ones for any name': {
    rules: { style: 'forever', ext: null, ignore: ['*.log', 'tmp/*', '/home/u/app/abs/**', 'node_modules'] },
    watched: ['a.css', 'x/tmp/a'],
    ignored: ['a.log', 'x/y.log', 'tmp/a', 'abs/x', '.env'],
  },
};

for (const [title, one] of Object.entries(cases)) {
  test(title, () => {
    for (const path of one.watched) assert.equal(isWatched(path, one), true, `${path} should be watched`);
    for (const path of one.ignored) assert.equal(isWatched(path, one), false, `${path} should be ignored`);
  });
}

test('lists of extensions are written in many ways', () => {
  for (const text of ['js,css', 'js css', '.js,.css', '*.js,*.css', '.js .css', 'js|css', ' js, css,']) {
    assert.deepEqual(parseExtensions(text), ['js', 'css'], text);
  }
  assert.deepEqual(parseExtensions('d.ts'), ['d.ts']);
  for (const text of ['*', '*.*', '']) assert.equal(parseExtensions(text), null, text);
});

test('a pattern that would take for ever is refused, in a gitignore file passed over', () => {
  const rules = (ignore: readonly string[], style: RuleOptions['style']) =>
    makeRules([], { ...defaultRules, cwd, ignore, style }, { kindOf: () => null });
  const began = performance.now();
  for (const style of ['stead', 'nodemon', 'pm2', 'forever'] as const) {
    for (const pattern of ['a'.repeat(50_000), '*a*a*a*a*a*a*a*b', '+(a|+(a|+(a|+(a|+(a|+(a))))))b']) {
      assert.throws(() => rules([pattern], style), { code: 'OPTION_INVALID' }, `${style} ${pattern.slice(0, 20)}`);
    }
  }
  assert.throws(() => makeRules(['*a*a*a*a*a*a*a*b'], { ...defaultRules, cwd }, { kindOf: () => null }), {
    code: 'OPTION_INVALID',
  });
  const one: Case = { gitignores: { '.': '*a*a*a*a*a*a*a*a*a*b\nx.js' }, watched: [], ignored: [] };
  assert.equal(isWatched(`${'a'.repeat(250)}.js`, one), true);
  assert.equal(isWatched('x.js', one), false);
  assert.ok(performance.now() - began < 1000);
});

test('a directory whose own name looks like a glob is a directory', () => {
  const odd = '/home/u/app (1) [x]{y}';
  for (const style of ['stead', 'nodemon', 'pm2', 'forever'] as const) {
    const kindOf = (path: string) => (path === odd ? 'directory' : null);
    const rules = makeRules([], { ...defaultRules, cwd: odd, style, ignore: ['tmp/**'] }, { kindOf });
    const place = rules.begin(rules.roots[0]!, []);
    assert.equal(rules.isWatched(place, `${odd}/a.js`, 'a.js'), true, style);
    assert.equal(rules.isWatched(place, `${odd}/tmp/a.js`, 'a.js'), false, style);
  }
});

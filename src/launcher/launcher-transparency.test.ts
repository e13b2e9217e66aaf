/** What the launcher hands to the program: argv, environment, cwd, umask, file descriptors. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { inEachShell, launcherIn, launcherScript } from '../../test/support/launcher.ts';
import { openFds, procEntries, sessionOf, statusField } from '../../test/support/proc.ts';
import { waitFor } from '../../test/support/wait.ts';
import { decodeBytes, encodeBytes } from '../host/bytes.ts';
import { launcherEnvironment } from './environment.ts';

const showArguments = ['/bin/sh', '-c', 'cat /proc/$$/cmdline; :'];
const showEnvironment = ['/bin/cat', '/proc/self/environ'];
const everyByte = decodeBytes(Uint8Array.from({ length: 255 }, (_, at) => at + 1));
const latin1 = (text: string) => encodeBytes(text).toString('latin1');
const sorted = (entries: readonly string[]) => entries.map(latin1).toSorted();
const split = (text: string) => (text === '' ? [] : text.replace(/\0$/, '').split('\0'));

// biome-ignore format: one list
const awkwardArguments = [
  '', ' ', 'two words', '*', '$HOME', '`id`', '$(id)', "it's", '"', '\\', 'a\nb', '\n', '-n', '--', '-c', '--help', '~', '[!a]', ';', '&', 'x=1',
  'é', '\u{1f40d}', '\x01\x7f', '', 'x'.repeat(120 * 1024),
];

inEachShell('arguments reach the program byte for byte', async (t, shell) => {
  const run = launcherIn(t, shell)({ argv: [...showArguments, ...awkwardArguments] });
  assert.deepEqual(split(await run.wrote()), [...showArguments, ...awkwardArguments].map(latin1));
  assert.equal(readFileSync(run.errors, 'utf8'), '');
});

inEachShell('arguments and values that are no UTF-8 reach the program byte for byte', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const argv = [...showArguments, everyByte, '\udc80', "\udcff'", 'plain'];
  assert.deepEqual(split(await launch({ argv }).wrote()), argv.map(latin1));
  const env = [
    'PATH=/bin',
    `RAW=${everyByte}`,
    'RAW2=\udc81\n',
    'a.b=\udcfe',
    'N\udcf0=1',
    `LD_X=${everyByte}`,
    'PLAIN=x',
  ];
  assert.deepEqual(split(await launch({ argv: showEnvironment, env }).wrote()).toSorted(), sorted(env));
});

inEachShell('a program whose own name looks like an option or an assignment is executed', async (t, shell) => {
  const launch = launcherIn(t, shell);
  for (const name of ['--help', '-x', 'a=b', 'A=1 b']) {
    symlinkSync('/bin/cat', join(launch.base, name));
    const env = [`PATH=${launch.base}`, 'odd.one=1', 'IFS=x'];
    const run = launch({ argv: [name, '/proc/self/cmdline', '/proc/self/environ'], env });
    const [argv0, ...rest] = split(await run.wrote());
    assert.equal(argv0, name, readFileSync(run.errors, 'utf8'));
    assert.deepEqual(rest.slice(2).toSorted(), sorted(env));
  }
});

const oddNames =
  'a.b a-b 1a 9 _ __ PWD OLDPWD SHLVL IFS OPTIND OPTARG OPTERR PPID PS1 PS2 PS3 PS4 LINENO ENV BASH_ENV MAIL MAILPATH MAILCHECK TERM HISTSIZE ATTY ' +
  'HOME RANDOM SECONDS BASHPID EPOCHSECONDS EPOCHREALTIME SRANDOM HISTCMD UID EUID GROUPS DIRSTACK FUNCNAME FUNCNEST BASH BASH_VERSION BASH_VERSINFO ' +
  'BASH_FUNC_x%% BASH_XTRACEFD BASH_ARGV0 BASHOPTS SHELLOPTS POSIXLY_CORRECT LANG LC_ALL LC_CTYPE LANGUAGE TMOUT COLUMNS LINES CDPATH PIPESTATUS ' +
  'GLOBIGNORE BASH_COMPAT BASH_SUBSHELL BASH_COMMAND REPLY LD_DEBUG_OUTPUT MALLOC_PERTURB_ NODE_OPTIONS ; # é {} $x __proto__ constructor ' +
  '_stead_dir _stead_odd _stead_odd_1 _stead_unset _stead_raw _stead_clean _stead_status _stead_pid _stead_words _stead_nofile';

inEachShell('every entry of the environment reaches the program, whatever its name', async (t, shell) => {
  const launch = launcherIn(t, shell);
  for (const value of ['', 'x', '7 y', '/tmp', 'two\nlines\n', 'it\'s $HOME `id` \\ "', '1']) {
    const env = ['PATH=/usr/bin:/bin', ...oddNames.split(' ').map((name) => `${name}=${value}`)];
    assert.deepEqual(split(await launch({ argv: showEnvironment, env }).wrote()).toSorted(), sorted(env));
  }
  // One by one: what one shell does about a name must not hide behind what is done about another.
  for (const name of oddNames.split(' ')) {
    assert.deepEqual(split(await launch({ argv: showEnvironment, env: [`${name}=x y`] }).wrote()), [
      latin1(`${name}=x y`),
    ]);
  }
});

inEachShell('an environment that is empty, large or usual is the same in the program', async (t, shell) => {
  const launch = launcherIn(t, shell);
  // biome-ignore format: one list
  const usual = [
    'SHELL=/bin/bash', `PWD=${launch.base}`, 'LOGNAME=x', 'HOME=/root', 'LANG=de_DE.UTF-8', 'LC_ALL=nowhere', 'TERM=xterm', 'USER=x', 'SHLVL=2',
    'PATH=/usr/bin:/bin', 'OLDPWD=/', '_=/usr/bin/node',
  ];
  const many = Array.from({ length: 1500 }, (_, at) => `V${at}${at % 3 === 0 ? '.x' : ''}=${'v'.repeat(at % 200)}`);
  for (const env of [
    [],
    ['A=1'],
    ['PWD=/nowhere'],
    usual,
    many,
    [`BIG=${'b'.repeat(120 * 1024)}`, `B.IG=${'b'.repeat(120 * 1024)}`],
  ]) {
    const run = launch({ argv: showEnvironment, env });
    assert.deepEqual(split(await run.wrote()).toSorted(), sorted(env));
    assert.equal(readFileSync(run.errors, 'utf8'), '');
    assert.equal(readFileSync(join(run.directory, 'note'), 'utf8'), '');
  }
});

const nameArbitrary = fc.oneof(
  fc.constantFrom(...oddNames.split(' ')),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
  fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }).filter((name) => !/[=\0]/.test(name)),
);
const entryArbitrary = fc
  .tuple(
    nameArbitrary,
    fc.string({ maxLength: 20, unit: 'binary' }).filter((value) => !value.includes('\0')),
  )
  .map(([name, value]) => decodeBytes(Buffer.from(`${name}=${value}`)));

inEachShell('any environment is the same in the program', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const check = async (env: string[]) => {
    const run = launch({ argv: showEnvironment, env });
    assert.deepEqual(
      split(await run.wrote()).toSorted(),
      sorted(env),
      readFileSync(join(run.directory, 'note'), 'utf8'),
    );
  };
  const environments = fc.uniqueArray(entryArbitrary, { maxLength: 30, selector: (entry) => entry.split('=')[0]! });
  await fc.assert(fc.asyncProperty(environments, check), { numRuns: 60 });
});

test('the division of an environment loses nothing, doubles nothing and keeps dash free of the usual entries', () => {
  const shells = fc.constantFrom('dash', 'busybox', 'bash', 'other' as const);
  fc.assert(
    fc.property(fc.array(entryArbitrary), shells, (env, shell) => {
      const { entries, odd, unset } = launcherEnvironment(env, { shell, cwd: '/tmp' });
      const first = new Map(env.toReversed().map((entry) => [entry.split('=')[0]!, entry]));
      assert.deepEqual(sorted([...entries, ...odd]), sorted([...first.values()]));
      assert.ok(unset.every((name) => !first.has(name)));
    }),
  );
  const usual = ['_=/usr/bin/node', 'PWD=/tmp', 'OLDPWD=/', 'SHLVL=2', 'PATH=/bin', 'PS1=$ ', 'LANG=C'];
  assert.deepEqual(launcherEnvironment(usual, { shell: 'dash', cwd: '/tmp' }), { entries: usual, odd: [], unset: [] });
});

inEachShell('of two entries with one name the first counts, as in getenv', async (t, shell) => {
  const run = launcherIn(t, shell)({ argv: showEnvironment, env: ['A=1', 'A=2', 'a.b=1', 'a.b=2'] });
  assert.deepEqual(split(await run.wrote()).toSorted(), ['A=1', 'a.b=1']);
});

inEachShell('cwd, umask and soft limit are as ordered, and only fds 0, 1 and 2 are open', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const cwd = join(launch.base, 'a dir');
  mkdirSync(cwd);
  const run = launch({ argv: ['/bin/sleep', '300'], cwd, umask: 0o027, nofile: 333 });
  const pid = await run.program('sleep');
  assert.equal(statusField(pid, 'Umask'), '0027');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +333 /m);
  // What this test was itself started with open is none of the launcher's.
  const fds = Object.entries(openFds(pid)).filter(
    ([fd, to]) => Number(fd) < 3 || openFds(process.pid)[Number(fd)] !== to,
  );
  assert.deepEqual(Object.fromEntries(fds), { 0: '/dev/null', 1: run.output, 2: run.errors });
  assert.deepEqual(procEntries(pid, 'cmdline'), ['/bin/sleep', '300']);
  const { session, group, terminal } = sessionOf(pid);
  assert.deepEqual([session, group, terminal], [pid, pid, 0]);
  assert.deepEqual(
    ['SigIgn', 'SigBlk', 'SigCgt'].map((name) => BigInt(`0x${statusField(pid, name)}`)),
    [0n, 0n, 0n],
  );
  process.kill(pid, 'SIGTERM');
  await run.ended;
});

inEachShell('a directory that is a symbolic link keeps its name in PWD', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const [real, link] = [join(launch.base, 'real'), join(launch.base, 'link')];
  mkdirSync(real);
  symlinkSync(real, link);
  const env = [`PWD=${link}`];
  assert.deepEqual(split(await launch({ argv: showEnvironment, env, cwd: link }).wrote()), env);
});

inEachShell('the script may be replaced or removed while it runs', async (t, shell) => {
  const launch = launcherIn(t, shell);
  const [script, gate] = [join(launch.base, 'launcher.sh'), join(launch.base, 'gate')];
  execFileSync('mkfifo', [gate]);
  copyFileSync(launcherScript, script);
  const run = launch({ argv: ['/bin/sh', '-c', `read line <${gate}; exit 7`], script });
  await waitFor('a run record', () => run.record().program);
  writeFileSync(script, 'exit 99\n'.repeat(1000));
  unlinkSync(script);
  writeFileSync(gate, 'go\n');
  assert.equal((await run.exit()).code, 7);
});

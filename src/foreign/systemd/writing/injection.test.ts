/** Whatever stands in names, words, paths and variables of an app: no directive comes of it, systemd has nothing to say, and it comes back as it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandOf, outgoingOf, specOf } from '../../../../test/support/specs.ts';
import { temporaryDirectory } from '../../../../test/support/temporary.ts';
import { encodeBytes } from '../../../host/bytes.ts';
import type { AppSpec } from '../../../protocol/spec.ts';
import { checked, contextWith } from '../../fixtures.ts';
import type { WrittenFile } from '../../written.ts';
import { readSystemd } from '../reading/read.ts';
import { environmentFile } from './env-file.ts';
import { isAssignable } from './escape.ts';
import { writeSystemd } from './write.ts';

const evil = [
  '\nExecStart=/bin/evil',
  '\r\n[Service]\nUser=root',
  'x\n\nExecStartPre=+/bin/evil',
  '\\\nUser=root',
  '"; ExecStart=/bin/evil "',
  '" "User=root',
  '%n%%i%h',
  '$MAINPID $$x ${HOME}',
  '@+!-:/bin/evil',
  '; /bin/evil ;',
  '#\n',
  "'",
  '\\x0aUser=root',
  '\u2028User=root\u2029',
  '\u0085',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...evil), fc.string({ unit: 'binary', maxLength: 3 })), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join('').replaceAll('\0', ''));

/** What no path may have is left out of some of them: else none would be written. */
const path = text.map((some) => `/srv/${some.replaceAll('/', '')}`);
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/).filter((some) => !/[.-]$|^all$/.test(some));

interface Hostile {
  readonly name: string;
  readonly words: readonly string[];
  readonly values: readonly string[];
  readonly cwd: string;
  readonly stopCommand: string | null;
  readonly files: readonly string[];
  readonly socket: string | null;
  readonly log: string | null;
  readonly ready: string | null;
}

const hostile: fc.Arbitrary<Hostile> = fc.record({
  name,
  words: fc.array(text, { maxLength: 4 }),
  values: fc.array(text, { maxLength: 3 }),
  cwd: path,
  stopCommand: fc.option(text),
  files: fc.array(path, { maxLength: 2 }),
  socket: fc.option(path),
  log: fc.option(path),
  ready: fc.option(text),
});

/** As if the options had let through what they refuse. */
function specOfHostile({ name: called, words, values, cwd, ...app }: Hostile): AppSpec {
  const env = values.map((value, at) => `V${at}=${value}`);
  const spec = specOf(called, { env }, { program: commandOf('/bin/true', ...words), cwd });
  return {
    ...spec,
    stopCommand: app.stopCommand,
    envFiles: app.files,
    ready: app.ready === null ? null : { kind: 'exec', command: app.ready },
    log: { ...spec.log, out: app.log },
    share: { ...spec.share, listen: app.socket === null ? [] : [{ kind: 'unix', name: null, path: app.socket }] },
  };
}

const context = { scope: 'system', owner: 'root', version: 252 } as const;
const unitsOf = (spec: AppSpec, hardening: 'default' | 'strict'): readonly WrittenFile[] =>
  writeSystemd([outgoingOf(spec, { withSecrets: true })], { ...context, hardening }, '').files;

/** Keys as systemd.syntax(7) finds them: at the beginning of a line that does not go on with another, comments apart. */
function keysOf(unit: string): readonly string[] {
  return encodeBytes(unit)
    .toString('latin1')
    .split(/\n/)
    .filter((line) => !/^\s*[#;]/.test(line) && line !== '')
    .map((line) => line.split('=')[0]!);
}

const allowed = new Set(
  'Description After Requires Wants Type NotifyAccess WorkingDirectory User Environment EnvironmentFile Sockets ExecStart ExecStartPost ExecStop TimeoutStartSec KillMode KillSignal TimeoutStopSec Restart RestartSec StartLimitIntervalSec StandardOutput StandardError SyslogIdentifier NoNewPrivileges CapabilityBoundingSet WantedBy ListenStream FileDescriptorName Backlog SocketMode SocketUser UMask'.split(
    ' ',
  ),
);
const isSandbox = (key: string) =>
  /^(?:Protect|Private|Restrict|Lock|SystemCall|ReadWritePaths|Bind|ProcSubset|RemoveIPC|KeyringMode)/.test(key);

const longLine = 1024 * 1024;

test('no directive, once each, in one line, and not continued', () => {
  fc.assert(
    fc.property(hostile, fc.constantFrom('default' as const, 'strict' as const), (app, hardening) => {
      const files = unitsOf(specOfHostile(app), hardening);
      for (const { text: unit } of files) {
        const keys = keysOf(unit);
        const stray = keys.filter(
          (key) => !/^\[(?:Unit|Service|Socket|Install)\]$/.test(key) && !allowed.has(key) && !isSandbox(key),
        );
        assert.deepEqual(stray, []);
        for (const once of ['ExecStart', 'User', '[Service]', 'Type'])
          assert.ok(keys.filter((key) => key === once).length <= 1, once);
        assert.doesNotMatch(unit, /\r|\0/);
        for (const line of unit.split('\n')) {
          assert.ok(!/\\$/.test(line) || /^\s*#/.test(line), `goes on: ${line}`);
          assert.ok(line.length < longLine);
        }
      }
    }),
    { numRuns: 400 },
  );
});

const plain = { stopCommand: null, files: [], socket: null, log: null, ready: null, cwd: '/srv/x' } as const;

test('read back, the command and the variables that systemd can hold are as they were', () => {
  fc.assert(
    fc.property(hostile, (app) => {
      const spec = specOfHostile({ ...app, ...plain });
      const files = unitsOf(spec, 'default').map((file) => ({ path: `/u/${file.name}`, text: file.text }));
      const { apps } = checked(readSystemd(files, contextWith('/u/x')));
      const [read] = Object.values(apps);
      const bytes = (words: readonly string[]) => words.map((word) => encodeBytes(word).toString('latin1'));
      assert.deepEqual(bytes(read!.command as readonly string[]), bytes(['/bin/true', ...app.words]));
    }),
    { numRuns: 200, endOnFailure: true },
  );
});

const analyze = '/usr/bin/systemd-analyze';

test('systemd-analyze verify has nothing to say of forty of them', {
  skip: existsSync(analyze) ? false : 'no systemd-analyze',
}, (t) => {
  const directory = temporaryDirectory(t);
  const apps = fc.sample(hostile, { numRuns: 40, seed: 11 });
  const written = apps.flatMap((app, at) =>
    unitsOf(specOfHostile({ ...app, name: `${app.name}-${at}` }), at % 2 === 0 ? 'default' : 'strict'),
  );
  for (const file of written) writeFileSync(join(directory, file.name), encodeBytes(file.text));
  mkdirSync(join(directory, 'run'));
  const paths = written.map((file) => join(directory, file.name));
  const { stdout, stderr, status } = spawnSync(analyze, ['verify', '--man=no', ...paths], { encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});

test('a file of an environment gives back what went into it, by the rules of systemd.exec(5)', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (values) => {
      const clean = values.map((value) => value.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, ''));
      // What systemd can't hold, as noncharacters of Unicode, is left out, and that is noted.
      const all = clean.map((value, at) => [`V${at}`, value] as const);
      const variables = new Map(all.filter(([name, value]) => isAssignable(name, value)));
      assert.deepEqual(readBack(environmentFile(new Map(all), ['a note'])), variables);
    }),
    { numRuns: 200, endOnFailure: true },
  );
});

/** Of double quotes alone. */
function readBack(file: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let rest = file.replace(/^(?:#.*\n)*/, '');
  while (rest.trim() !== '') {
    const [whole, key, quoted] = /^([A-Za-z_]\w*)="((?:[^"\\`$]|\\["\\`$])*)"\n/.exec(rest) ?? [];
    assert.ok(whole !== undefined, JSON.stringify(rest));
    found.set(key!, quoted!.replace(/\\(.)/gs, '$1'));
    rest = rest.slice(whole.length);
  }
  return found;
}

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { settle } from '../config/settle.ts';
import { newModel } from '../lifecycle/state.ts';
import type { AppSpec } from '../protocol/spec.ts';
import { createApp, type LoadedApps, loadApps, type StoredState, saveSpec, saveState } from './apps.ts';

const inherited = { umask: 18, limits: { nofile: [1024, null] as const }, nice: 0, oomScoreAdj: 0 };
const spec: AppSpec = {
  format: 2,
  name: 'api',
  kind: 'app',
  program: { how: 'script', words: ['/a.js'], interpreter: { name: 'node', path: '/usr/bin/node', args: [] } },
  cwd: '/',
  env: ['PATH=/bin'],
  user: null,
  groups: null,
  options: {},
  origin: null,
  inherited,
  envFiles: [],
  ...settle({}, { kind: 'app', inherited }),
};
const state: StoredState = {
  format: 3,
  id: 3,
  want: 'stopped',
  by: 'stead stop api',
  createdAt: '2026-01-01T00:00:00.000Z',
  bootId: 'boot',
  instances: [{ index: 0, role: 'main', lane: 0, model: newModel, sinceWall: 1 }],
  rollout: null,
};

/** A home with the app, in its second generation. */
function homeWith(t: TestContext): { home: string; file(name: string): string; names(): string[] } {
  const home = temporaryDirectory(t, 'storage');
  createApp(home, { spec, state: { ...state, want: 'running' } });
  saveSpec(home, spec);
  saveState(home, 'api', state, { durable: true });
  const directory = join(home, 'apps', 'api');
  return { home, file: (name) => join(directory, name), names: () => readdirSync(directory).sort() };
}

const load = (home: string, mend: boolean): LoadedApps<unknown> => loadApps(home, { mend });
const wants = (home: string, mend: boolean) => load(home, mend).apps.map((app) => app.state.want);
const whole = ['spec.json', 'spec.json.prev', 'state.json', 'state.json.prev'];

test('what is written is what is read', (t) => {
  const { home, names } = homeWith(t);
  assert.deepEqual(load(home, true), { apps: [{ spec, state }], stateless: [], specless: [], damages: [] });
  assert.deepEqual(names(), whole);
});

test('state.json cut off at every byte: the generation before it is taken, and it is moved aside only to mend', (t) => {
  const { home, file, names } = homeWith(t);
  const good = readFileSync(file('state.json'));
  // The last byte is a newline, which nothing depends on.
  for (let size = 0; size < good.length - 1; size++) {
    writeFileSync(file('state.json'), good.subarray(0, size));
    const { apps, damages } = load(home, false);
    assert.deepEqual([apps.map((app) => app.state.want), damages.length], [['running'], 1], `${size} bytes`);
  }
  assert.deepEqual(names(), whole);
  const [damage] = load(home, true).damages;
  assert.deepEqual([damage!.name, damage!.file, damage!.isMovedAside], ['api', file('state.json'), true]);
  assert.ok(names().some((name) => /^state\.json\.corrupt-\d{4}-/.test(name)));
  assert.ok(!names().includes('state.json'));
  assert.deepEqual(load(home, true).damages, [], 'said once');
  assert.deepEqual(wants(home, true), ['running']);
});

const nonsense = [
  '',
  '{}',
  '[]',
  'null',
  'true',
  '1',
  '"x"',
  '[[]]',
  '{"format":1}',
  '{"format":2}',
  '{"format":"1"}',
  '\0\0\0',
  '{"__proto__":{}}',
];

test('what is JSON and no state: the generation before it', (t) => {
  const { home, file } = homeWith(t);
  for (const text of nonsense) {
    writeFileSync(file('state.json'), text);
    writeFileSync(file('spec.json'), text);
    assert.deepEqual(wants(home, false), ['running'], text);
    assert.equal(load(home, false).damages.length, 2, text);
  }
});

test('random bytes in every file: never a throw, and no other app is harmed', (t) => {
  const { home, file } = homeWith(t);
  createApp(home, { spec: { ...spec, name: 'other' }, state: { ...state, id: 4 } });
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.uint8Array({ maxLength: 200 }), (name, bytes) => {
      writeFileSync(file(name), bytes);
      assert.ok(load(home, false).apps.some((app) => app.spec.name === 'other'));
    }),
    { numRuns: 300 },
  );
});

/** The paths to every value in a JSON value. */
const pathsIn = (value: unknown): string[][] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((path) => [key, ...path])]);

function put<T>(value: T, [key, ...rest]: readonly string[], replacement: unknown): T {
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key!] = rest.length === 0 ? replacement : put(copy[key!], rest, replacement);
  return copy as T;
}

test('any value of the wrong type in any place is found', (t) => {
  const { home, file } = homeWith(t);
  for (const [name, value] of Object.entries({ 'state.json': state, 'spec.json': spec })) {
    for (const path of pathsIn(value)) {
      writeFileSync(file(name), JSON.stringify(put(value, path, { wrong: { type: true } })));
      assert.equal(load(home, false).damages.length, 1, `${name}: ${path.join('.')}`);
    }
    writeFileSync(file(name), JSON.stringify(value));
  }
});

test('a file of 1 GB is refused without being read', (t) => {
  const { home, file } = homeWith(t);
  truncateSync(file('state.json'), 2 ** 30);
  const began = performance.now();
  assert.deepEqual(wants(home, false), ['running']);
  assert.ok(performance.now() - began < 500);
});

test('a directory, a link, or a spec of another name in a file’s place is damage', (t) => {
  const { home, file } = homeWith(t);
  mkdirSync(join(home, 'apps', 'copy'));
  for (const name of ['spec.json', 'state.json'])
    writeFileSync(join(home, 'apps', 'copy', name), readFileSync(file(name)));
  mkdirSync(join(home, 'apps', 'empty', 'state.json'), { recursive: true });
  const { apps, damages } = load(home, false);
  assert.deepEqual(
    apps.map((app) => app.spec.name),
    ['api'],
  );
  assert.deepEqual(damages.map(({ name }) => name).sort(), ['copy', 'empty']);
});

test('an app whose states are all bad is told with its spec; one that was never made whole is not', (t) => {
  const { home, file } = homeWith(t);
  for (const name of ['state.json', 'state.json.prev']) writeFileSync(file(name), '');
  mkdirSync(join(home, 'apps', 'half'));
  writeFileSync(join(home, 'apps', 'half', 'spec.json'), JSON.stringify({ ...spec, name: 'half' }));
  const { apps, stateless, damages } = load(home, true);
  assert.deepEqual([apps, stateless, damages.length], [[], [spec], 2]);
});

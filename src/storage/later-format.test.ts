import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { createApp, loadApps, type StoredApp } from './apps.ts';

const later = JSON.stringify({ format: 4, what: 'only a newer stead knows' });
const app = { spec: { name: 'api' }, state: {} } as unknown as StoredApp;

/** A home with an app of these files. */
function homeWith(t: TestContext, files: Readonly<Record<string, string>>) {
  const home = temporaryDirectory(t, 'storage');
  const directory = join(home, 'apps', 'api');
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const content = () =>
    Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
  return { home, content };
}

const cases = {
  both: { 'spec.json': later, 'state.json': later },
  'state only, a broken spec': { 'spec.json': '{', 'state.json': later },
  'spec only, a broken state': { 'spec.json': later, 'state.json': '' },
  'the generation before a broken one': { 'spec.json': later, 'state.json': '{', 'state.json.prev': later },
};

for (const [title, files] of Object.entries(cases)) {
  test(`files of a later format (${title}) are neither used, nor moved, nor written over`, (t) => {
    const { home, content } = homeWith(t, files);
    const { apps, damages } = loadApps(home, { mend: true });
    assert.deepEqual(apps, []);
    assert.ok(damages.length > 0 && damages.every(({ isMovedAside }) => !isMovedAside));
    assert.ok(damages.some(({ problem }) => /^has format 4, this version reads [23]$/.test(problem)));
    assert.throws(() => createApp(home, app), { code: 'NAME_TAKEN', message: /newer stead/ });
    assert.deepEqual(content(), files);
  });
}

test('what is left of an app without a later format is no obstacle to a new one of its name', (t) => {
  const { home, content } = homeWith(t, { 'spec.json': '{', 'state.json.corrupt-2026': later });
  cpSync(join(home, 'apps', 'api'), join(home, 'apps', 'other'), { recursive: true });
  createApp(home, app);
  assert.equal(JSON.parse(content()['spec.json']!).name, 'api');
});

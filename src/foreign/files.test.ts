import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { diskFiles } from './files.ts';
import { globFiles } from './glob.ts';
import { joinForeign } from './join.ts';
import { separateLogs } from './separate-logs.ts';

const folder = mkdtempSync(join(tmpdir(), 'stead-foreign-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

test('a text is read, also through a link; what is not there is null', () => {
  writeFileSync(at('a.conf'), '\ufeffé\n');
  symlinkSync(at('a.conf'), at('link'));
  assert.equal(diskFiles.read(at('link')), 'é\n');
  assert.equal(diskFiles.read(at('nothing')), null);
  assert.equal(diskFiles.read(at('a.conf/b')), null);
});

test('whatever is no text is refused in words, and at once', async (t) => {
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('fifo')]);
  writeFileSync(at('big'), Buffer.alloc(4 * 1024 * 1024 + 1, 'a'));
  writeFileSync(at('full'), Buffer.alloc(4 * 1024 * 1024, 'a'));
  writeFileSync(at('nul'), 'a\0b');
  writeFileSync(at('latin1'), Buffer.from([0x77, 0xe9]));
  const server = createServer().listen(at('socket'));
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  for (const [name, why] of [
    ['directory', /it is a directory/],
    ['fifo', /it is no regular file/],
    ['big', /more than 4 MiB/],
    ['nul', /NUL bytes/],
    ['latin1', /not in UTF-8/],
    ['socket', /a socket or a device/],
  ] as const)
    assert.throws(() => diskFiles.read(at(name)), { code: 'CONFIG_INVALID', message: why }, name);
  assert.throws(() => diskFiles.read('/dev/zero'), { code: 'CONFIG_INVALID', message: /no regular file/ });
  assert.equal(diskFiles.read(at('full'))?.length, 4 * 1024 * 1024);
});

test('patterns of a shell', () => {
  mkdirSync(at('conf.d'));
  for (const name of ['b.conf', 'a.conf', 'c.txt', '.hidden.conf', 'd1.ini', 'd2.ini'])
    writeFileSync(at(`conf.d/${name}`), '');
  const found = (pattern: string) => globFiles(at(pattern), diskFiles).map((path) => path.slice(folder.length + 1));
  assert.deepEqual(found('conf.d/*.conf'), ['conf.d/a.conf', 'conf.d/b.conf']);
  assert.deepEqual(found('c*.d/d[12].???'), ['conf.d/d1.ini', 'conf.d/d2.ini']);
  assert.deepEqual(found('conf.d/none.conf'), ['conf.d/none.conf']);
  assert.deepEqual(found('nowhere/*.conf'), []);
});

test('apps of several files: a name that is taken is counted on, also where it is needed', () => {
  const app = (stanza: Record<string, unknown>) => ({ stanza, notes: [] });
  const { apps, notes } = joinForeign([
    { apps: [app({ name: 'web' })], notes: ['x'] },
    { apps: [app({ name: 'web' }), app({ name: 'ui', depends_on: { web: 'ready', db: 'ready' } })], notes: ['x', 'y'] },
  ]);
  assert.deepEqual(
    apps.map(({ stanza }) => stanza),
    [{ name: 'web' }, { name: 'web-2' }, { name: 'ui', depends_on: { 'web-2': 'ready', db: 'ready' } }],
  );
  assert.deepEqual(notes, ['x', 'y']);
  assert.match(apps[1]!.notes[0]!, /Another file/);
});

test("one log file is one app's", () => {
  const app = (stanza: Record<string, unknown>) => ({ stanza, notes: [] });
  const { apps } = separateLogs(
    {
      apps: [
        app({ name: 'a', log_out: 'x.log', log_err: 'none' }),
        app({ name: 'b', log_out: '/srv/x.log', log_err: 'none' }),
        app({ name: 'c', log_out: 'y.log', log_err: 'y.log' }),
      ],
      notes: [],
    },
    '/srv',
  );
  assert.deepEqual(
    apps.map(({ stanza }) => stanza),
    [
      { name: 'a', log_out: 'x.log', log_err: 'none' },
      { name: 'b', log_err: 'none' },
      { name: 'c', log_out: 'y.log' },
    ],
  );
  assert.match(apps[1]!.notes[0]!, /is a log of a; this one has a log of its own/);
});

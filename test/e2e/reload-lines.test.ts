/** What `reload` and `scale` ask for, and what they say of the answer: of a daemon that answers as the test wants. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { makeApp } from '../../src/cli/render/fixtures.ts';
import { socketAddress } from '../../src/host/home.ts';
import type { ActionResult } from '../../src/protocol/api.ts';
import { Stead } from '../support/stead.ts';

interface Asked {
  readonly url: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A home in which this result is the answer to everything, and what was asked. */
async function answering(t: TestContext, result: Partial<ActionResult>): Promise<{ stead: Stead; asked: Asked[] }> {
  const stead = new Stead(t);
  const asked: Asked[] = [];
  mkdirSync(`${stead.home}/apps`, { recursive: true });
  chmodSync(stead.home, 0o700);
  const server = createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    asked.push({ url: req.url, body: body === '' ? {} : JSON.parse(body) });
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ results: [{ app: makeApp(), changed: true, error: null, ...result }] }));
  });
  const address = socketAddress(stead.home);
  await new Promise<void>((resolve) => server.listen(address.path, resolve));
  address.close();
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return { stead, asked };
}

const four = makeApp({}, [
  { pid: 1 },
  { index: 1, pid: 2 },
  { index: 2, pid: 3 },
  { index: 3, pid: 4 },
  { role: 'retiring', pid: 9 },
]);
const canary = makeApp({ reload: { phase: 'paused', done: 0, of: 1 } }, [{}, { role: 'candidate', pid: 9 }]);

test('scale takes a negative number as a word, and says how many there are', async (t) => {
  const { stead, asked } = await answering(t, { app: four });
  assert.equal((await stead.ok(['scale', 'web', '-1'])).stdout, 'web has 4 instances, pids 1 2 3 4\n');
  await stead.ok(['scale', 'web', '@batch', '+2', '--no-wait']);
  const [first, second] = asked;
  assert.deepEqual(
    [first!.url, first!.body.select, first!.body.to, first!.body.wait],
    ['/v1/scale', ['web'], '-1', true],
  );
  assert.deepEqual([second!.body.select, second!.body.to, second!.body.wait], [['web', '@batch'], '+2', false]);
});

test('scale of what is so already, and of what does not run', async (t) => {
  const { stead } = await answering(t, { app: makeApp({ state: 'stopped' }, [{ pid: null }]), changed: false });
  assert.equal((await stead.ok(['scale', 'web', '1'])).stdout, 'web has 1 instance already, stopped\n');
});

test('reload says what it asks for, notes on stderr, and pids of those that serve', async (t) => {
  const { stead, asked } = await answering(t, { app: four, notes: ['web was slow'] });
  const { stdout, stderr } = await stead.ok(['reload', 'web', '--parallel', '2', '--canary', '1']);
  assert.equal(stdout, 'web reloaded, pids 1 2 3 4\n');
  assert.match(stderr, /^web was slow$/m);
  assert.equal((await stead.ok(['reload', 'web', '--abort'])).stdout, 'web goes on as it is, pids 1 2 3 4\n');
  await stead.ok(['reload', 'web', '--continue', '--no-wait']);
  await stead.ok(['reload', 'web', '--update-env']);
  const bodies = asked.map(({ url, body: { parallel, canary, then, wait, updateEnv } }) => {
    assert.equal(url, '/v1/reload');
    return [parallel, canary, then, wait, Array.isArray((updateEnv as { env?: unknown } | null)?.env)];
  });
  assert.deepEqual(bodies, [
    [2, 1, 'begin', true, false],
    [1, null, 'abort', true, false],
    [1, null, 'continue', false, false],
    [1, null, 'begin', true, true],
  ]);
});

test('reload that waits for a word says which', async (t) => {
  const { stead } = await answering(t, { app: canary });
  assert.equal(
    (await stead.ok(['reload', 'web', '--canary', '1'])).stdout,
    'web: reload waits with 1 new beside 1: stead reload web --continue, or --abort\n',
  );
});

test('reload that failed is told in three parts, and as JSON', async (t) => {
  const error = {
    code: 'RELOAD_FAILED',
    message: '"web" was not reloaded: exit code 1.',
    hint: 'stead logs web',
  } as const;
  const { stead } = await answering(t, { error, changed: false });
  const { code, stdout, stderr } = await stead.run(['reload', 'web']);
  assert.deepEqual(
    [code, stdout, stderr],
    [1, '', 'stead: "web" was not reloaded: exit code 1.\nHint: stead logs web\n'],
  );
  const json = await stead.run(['reload', 'web', '--json']);
  assert.equal(json.code, 1);
  assert.equal(JSON.parse(json.stdout).error.code, 'RELOAD_FAILED');
});

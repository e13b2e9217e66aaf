/**
 * Frameworks as they come from npm: two instances on one port, a reload under load without a failed request, and a port that is free afterwards. Installed
 * once, by scripts/install-frameworks.mjs.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import { failed, Load, type LoadOptions } from '../support/load.ts';
import { repository } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

interface Framework {
  readonly title: string;
  /** What follows `stead start … -i 2`. */
  readonly words: readonly string[];
  /** Where what was installed is run. */
  readonly folder?: string;
  /** Answers with the pid. */
  readonly path?: string;
  /** Other pages that are asked for. */
  readonly pages?: readonly string[];
  /** It says how long its answers are: several go over one connection. */
  readonly hasLength?: boolean;
}

const next = { folder: 'next', path: '/who', pages: ['/', '/about'], hasLength: false };
const frameworks: readonly Framework[] = [
  { title: 'Express', words: ['express.cjs'] },
  { title: 'Fastify', words: ['fastify.mjs'] },
  { title: 'Nest', words: ['nest.cjs'] },
  { title: 'TypeScript by tsx', words: ['typed.ts'] },
  { title: 'next start', words: ['--', '../node_modules/.bin/next', 'start'], ...next },
  { title: 'Next.js with a server of its own', words: ['server.cjs'], ...next },
];

const installMs = 170_000;
const noRegistry = 3;
/** Two minutes of installing and building are no part of every run. */
const isWanted = Boolean(process.env.STEAD_TEST_FRAMEWORKS);

describe('frameworks', () => {
  let installed: string | null = null;

  before(async () => {
    if (!isWanted) return;
    const { code, stdout, stderr } = await execute(process.execPath, ['scripts/install-frameworks.mjs'], {
      cwd: repository,
      timeoutMs: installMs,
    });
    if (code !== noRegistry) assert.equal(code, 0, stderr);
    installed = code === 0 ? stdout.trim() : null;
  });

  for (const framework of frameworks) {
    test(`${framework.title}: two instances answer on one port, a reload fails no request, and a delete frees it`, async (t) => {
      if (!isWanted) return t.skip('STEAD_TEST_FRAMEWORKS=1 npm test -- frameworks installs and runs them');
      if (installed === null) return t.skip('npm has no registry to install it from');
      await run(t, { ...framework, folder: join(installed, framework.folder ?? '') });
    });
  }
});

async function run(t: TestContext, { words, folder, path = '/', pages = [], hasLength = true }: Framework) {
  const port = await freePort();
  const stead = new Stead(t, { env: { PORT: String(port), NEXT_TELEMETRY_DISABLED: '1' } });
  await stead.ok(['start', '--name', 'app', '-i', '2', ...words], { cwd: folder! });
  await listening(stead, port);
  const loads = [
    { path },
    ...(hasLength ? [{ path, keepAlive: true }] : []),
    ...pages.map((page) => ({ path: page })),
  ].map((options: LoadOptions) => new Load(port, { concurrency: 2, pauseMs: 10, ...options }));
  try {
    await reloadOnceBothAnswer(stead, loads[0]!);
  } finally {
    for (const load of loads) {
      const result = await load.stop();
      assert.equal(failed(result), 0, JSON.stringify(result.failures));
      assert.ok(result.ok > 0);
    }
  }
  await stead.ok(['delete', 'app']);
  assert.equal(await isRefused(port), true);
}

/** Both tell that they listen, and both are asked: one that is slow to load begins late. */
async function listening(stead: Stead, port: number): Promise<void> {
  await stead.until('app', 'both accept', ({ held }) =>
    Boolean(held?.some(({ key, accepting }) => key.endsWith(`:${port}`) && accepting.length === 2)),
  );
}

async function reloadOnceBothAnswer(stead: Stead, load: Load): Promise<void> {
  const before = await pidsOf(stead);
  await answered(load, before);
  await stead.ok(['reload', 'app']);
  const after = await pidsOf(stead);
  assert.equal(after.filter((pid) => before.includes(pid)).length, 0);
  await answered(load, after);
}

async function answered(load: Load, pids: readonly string[]): Promise<void> {
  // A body may be in chunks.
  const hasCome = (pid: string) => load.bodies.some((body) => body.split(/\s+/).includes(pid));
  await waitFor(`answers of ${pids}`, () => pids.every(hasCome));
}

async function pidsOf(stead: Stead): Promise<string[]> {
  const { instances } = await stead.show('app');
  const pids = instances.map(({ pid }) => String(pid));
  assert.equal(pids.length, 2);
  return pids;
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/** Each code block of docs/api.md is run, in its order, in one home: what a `console.log` prints is what the comment behind it says. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { execute, Stead } from '../support/stead.ts';

interface Block {
  readonly language: string;
  readonly text: string;
  /** What it prints, line by line. */
  readonly prints: readonly string[];
}

const server = `require('node:http').createServer((_, response) => response.end('hi')).listen(process.env.PORT)`;
const config = `apps:
  api: { command: sleep 1000 }
  worker: { command: sleep 1000, depends_on: api }
`;

test('the examples of docs/api.md do what they say', async (t) => {
  const world = new Stead(t);
  const port = await freePort();
  const text = readFileSync(join(repository, 'docs/api.md'), 'utf8').replaceAll('8080', String(port));
  const blocks = blocksIn(text);
  assert.ok(blocks.length > 20, `${blocks.length} blocks`);
  writeFileSync(join(world.directory, 'server.js'), server);
  writeFileSync(join(world.directory, 'stead.config.yaml'), config);
  mkdirSync(join(world.directory, 'node_modules'));
  symlinkSync(repository, join(world.directory, 'node_modules/stead'));
  const options = { cwd: world.directory, env: { ...world.env, NODE_NO_WARNINGS: '1' }, timeoutMs: 60_000 };

  // One process for all of a kind that follow each other: to start Node takes longer than most of them.
  const scripts = blocks.filter(({ language }) => language === 'js');
  for (const [at, block] of scripts.entries()) writeFileSync(join(world.directory, `block-${at}.mjs`), moduleOf(block));
  writeFileSync(join(world.directory, 'all.mjs'), scripts.map((_, at) => runOf(at)).join(''));
  const ran = await execute(process.execPath, ['all.mjs'], options);
  const printed = ran.stdout.split('#block\n').slice(1);
  for (const [at, { text: shown, prints }] of scripts.entries())
    assert.deepEqual((printed[at] ?? 'nothing').split('\n').slice(0, -1), prints, `${shown}\n${ran.stderr}`);
  assert.equal(ran.code, 0, ran.stderr);

  for (const { text: shown } of blocks.filter(({ language }) => language === 'sh')) {
    const script = `set -e\n${shown.replaceAll('curl -sS', 'curl -sSf').replaceAll('~/.stead', world.home)}`;
    const { code, stderr } = await execute('sh', ['-c', script], options);
    assert.equal(code, 0, `${shown}\n${stderr}`);
  }
  assert.equal((await world.show('by-curl')).state, 'running');
  assert.equal((await world.show('web')).state, 'stopped');
});

function blocksIn(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, body]) => ({
    language: language!,
    text: body!,
    prints: [...body!.matchAll(/console\.log\(.*?\)+; \/\/ (.*)$/gm)].map((line) => line[1]!),
  }));
}

const runOf = (at: number): string => `console.log('#block'); await import('./block-${at}.mjs');\n`;

/** With the client that the page gives once; closed at the end, as a program would. */
function moduleOf({ text }: Block): string {
  const isWhole = text.includes('connect(');
  const head = isWhole ? '' : "import { connect, SteadError } from 'stead';\nconst stead = await connect();\n";
  return `${head}${text}\n${text.includes('stead.close()') ? '' : 'await stead.close();\n'}`;
}

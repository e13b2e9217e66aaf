/** What runs a TypeScript file: whichever the project has. */
import { basename, dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { escapeControls } from '../host/bytes.ts';
import { SteadError } from '../protocol/errors.ts';
import type { Chosen } from './choice.ts';
import { findCommand } from './find.ts';
import { isAtLeast, nodeVersion, type Surroundings } from './probe.ts';
import { exists, findAbove } from './project.ts';
import { quote } from './quote.ts';
import { behindShim } from './shims.ts';

/** Chooses tsx, bun, deno, ts-node or Node's own type stripping, in this order. Throws INTERPRETER_NOT_FOUND, naming the ways there are. */
export async function typescriptRunner(script: string, surroundings: Surroundings): Promise<Chosen> {
  const node = await findNode(surroundings);
  const chosen =
    (await tsx(script, node)) ??
    (await bun(script, surroundings)) ??
    (await deno(script, surroundings)) ??
    (await tsNode(script)) ??
    stripping(script, node);
  if (chosen !== null) return chosen;
  const version = node === null ? 'there is no node in your PATH' : `node ${node.version} (${node.path}) cannot`;
  const what = extname(script) === '.tsx' ? 'JSX needs more than type stripping' : version;
  throw new SteadError(
    'INTERPRETER_NOT_FOUND',
    `Cannot start ${quote(script)}: nothing that runs TypeScript was found (${what})`,
    { hint: 'npm install --save-dev tsx, or use Node 22.18 or newer, or name another with --interpreter (bun, deno)' },
  );
}

interface Node {
  readonly path: string;
  readonly version: string;
}

async function findNode(surroundings: Surroundings): Promise<Node | null> {
  const found = await findCommand('node', surroundings);
  if (found.how !== 'found') return null;
  const path = await behindShim(found.path, 'node', surroundings);
  const version = await nodeVersion(path, surroundings);
  return version === null ? null : { path, version };
}

/** tsx's loader in the very process (Node 20.6): its command would start a second Node, and signals would pass through the first. */
async function tsx(script: string, node: Node | null): Promise<Chosen | null> {
  const command = await findAbove(dirname(script), ['node_modules/.bin/tsx']);
  if (command === null) return null;
  const notes = [`runs with tsx (${escapeControls(dirname(dirname(command)))})`];
  const loader = join(dirname(dirname(command)), 'tsx/dist/loader.mjs');
  if (node !== null && isAtLeast(node.version, 20, 6) && (await exists(loader))) {
    return { interpreter: { name: 'node', path: node.path, args: ['--import', pathToFileURL(loader).href] }, notes };
  }
  return { interpreter: { name: 'tsx', path: command, args: [] }, notes };
}

async function tsNode(script: string): Promise<Chosen | null> {
  const command = await findAbove(dirname(script), ['node_modules/.bin/ts-node']);
  if (command === null) return null;
  const notes = [`runs with ts-node (${escapeControls(dirname(dirname(command)))})`];
  return { interpreter: { name: 'ts-node', path: command, args: [] }, notes };
}

const bunFiles = ['bun.lock', 'bun.lockb', 'bunfig.toml'];
const denoFiles = ['deno.json', 'deno.jsonc', 'deno.lock'];

async function bun(script: string, surroundings: Surroundings): Promise<Chosen | null> {
  const sign = await findAbove(dirname(script), bunFiles);
  return sign === null ? null : other('bun', ['run'], sign, surroundings);
}

async function deno(script: string, surroundings: Surroundings): Promise<Chosen | null> {
  const sign = await findAbove(dirname(script), denoFiles);
  return sign === null ? null : other('deno', ['run', '--allow-all'], sign, surroundings);
}

async function other(
  name: string,
  args: readonly string[],
  sign: string,
  surroundings: Surroundings,
): Promise<Chosen | null> {
  const found = await findCommand(name, surroundings);
  if (found.how !== 'found') return null;
  const why = `the project has ${escapeControls(basename(sign))}`;
  return {
    interpreter: { name, path: found.path, args },
    notes: [`runs with ${[name, ...args].join(' ')}, as ${why}`],
  };
}

/** Node strips types by itself from 22.18 and 23.6 on, and behind a flag from 22.6 on; never in JSX. */
function stripping(script: string, node: Node | null): Chosen | null {
  if (node === null || extname(script) === '.tsx' || !isAtLeast(node.version, 22, 6)) return null;
  const isPlain = isAtLeast(node.version, 23, 6) || (node.version.startsWith('22.') && isAtLeast(node.version, 22, 18));
  const args = isPlain ? [] : ['--experimental-strip-types'];
  return {
    interpreter: { name: 'node', path: node.path, args },
    notes: [`runs with Node's type stripping (node ${node.version})`],
  };
}

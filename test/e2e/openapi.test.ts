/** docs/openapi.json is what the daemon does: real requests and answers of every route are held against it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type RouteName, routes } from '../../src/protocol/api.ts';
import { post } from '../faults/harness/requests.ts';
import { repository } from '../support/paths.ts';
import { Stead } from '../support/stead.ts';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}

const document = JSON.parse(readFileSync(join(repository, 'docs/openapi.json'), 'utf8'));

test('the document is OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
});

test('every route takes and answers what the document says, and nothing else', async (t) => {
  const world = new Stead(t);
  await world.ok(['start', '--name', 'web', '-i', '2', '--', 'sleep', '1000']);
  const socket = join(world.home, 'stead.sock');
  const checks = new Checks();
  const caller = {
    cwd: world.directory,
    env: [`PATH=${process.env.PATH}`],
    umask: 18,
    limits: { core: [0, null] },
    nice: 0,
    oomScoreAdj: 0,
    pid: process.pid,
    command: 'a test',
  };
  const seen = new Set<RouteName>();
  const ask = async (route: RouteName, { sel = '', query = '', body = {} as unknown, status = 200 } = {}) => {
    const [method, path] = routes[route];
    if (method === 'POST') checks.request(route, body, status === 200);
    const place = `${path.replace(':sel', sel)}${query}`;
    const text = method === 'POST' ? JSON.stringify(body) : '';
    const answer = await post(socket, place, text, {}, method);
    assert.equal(answer.status, status, `${route}: ${JSON.stringify(answer.body)}`);
    checks.answer(route, status, answer.body);
    if (status === 200) seen.add(route);
    return answer.body as never;
  };
  const select = ['web'];

  await ask('start', { body: { targets: ['sleep'], rest: ['1000'], options: { name: 'other', tty: true }, caller } });
  await ask('start', {
    body: { targets: [], rest: ['sh', '-c', 'exit 3'], options: { name: 'bad', restart: 'no' }, caller },
  });
  await ask('run', { body: { command: ['sh', '-c', 'echo hi; exit 1'], options: { name: 'job' }, caller } });
  await ask('wait', { body: { select: ['job'], timeoutMs: null } });
  await ask('list');
  await ask('show', { sel: 'web' });
  await ask('show', { sel: 'other', query: '?showEnv=1' });
  await ask('show', { sel: 'job' });
  await ask('why', { sel: 'job' });
  await ask('why', { sel: 'web' });
  await ask('restart', { body: { select, updateEnv: caller, wait: true, caller: { pid: 1, command: 'x' } } });
  await ask('scale', { body: { select, to: '+1' } });
  // biome-ignore lint/suspicious/noThenProperty: so it is called.
  await ask('reload', { body: { select, parallel: 2, canary: null, then: 'begin' } });
  await ask('signal', { body: { select: ['web', 'bad'], signal: 'CONT' } });
  await ask('set', { body: { select, set: { group: 'g', env: ['A=b'] }, unset: ['maxMemory'] } });
  await ask('reset', { body: { select } });
  await ask('flush', { body: { select } });
  await ask('attach', { body: { select: ['other'] } });
  await ask('logs', { query: '?app=job' });
  await ask('events');
  const app = { kind: 'app', script: null, command: ['sleep', '1000'], args: [], options: { name: 'applied' } };
  const applied = { file: join(world.directory, 'x.yaml'), project: null, apps: [app], caller };
  await ask('apply', { body: { ...applied, isDryRun: true } });
  await ask('apply', { body: applied });
  await ask('apply', { body: { ...applied, apps: [{ ...app, options: { name: 'applied', nice: 1 } }] } });
  await ask('apply', { body: { ...applied, apps: [], isPruned: true } });
  const { cwd, umask, nice, oomScoreAdj, limits } = caller;
  const dumped = { name: 'back', app, file: null, isWanted: true, cwd, umask, nice, oomScoreAdj, limits, env: null };
  await ask('resurrect', { body: { apps: [dumped], caller } });
  await ask('stop', { body: { select: ['back'] } });
  await ask('rename', { body: { select: ['back'], to: 'again' } });
  const { pid } = (await ask('daemonStatus')) as { pid: number };
  const loose = spawn('sleep', ['1000'], { env: world.env, stdio: 'ignore', detached: true });
  await ask('adopt', { body: { pid: loose.pid, options: { name: 'adopted' }, caller: { pid, command: 'x' } } });
  const keeper = {
    ...{ by: 'systemd', scope: 'system', main: 'again.service', services: ['again.service'], isWanted: true },
    ...{ sockets: [], triggers: [], files: [], keys: [] },
  };
  await ask('handoff', { body: { app: 'again', step: 'prepare' } });
  await ask('handoff', { body: { app: 'again', step: 'give', keeper } });
  await ask('show', { sel: 'again' });
  await ask('why', { sel: 'again' });
  await ask('restart', { body: { select: ['again'] } });
  await ask('takeback', { body: { app: 'again', step: 'take', pids: [process.pid], keys: [] } });
  await ask('takeback', { body: { app: 'again', step: 'start', isWanted: false } });
  await ask('delete', { body: { select: ['again'], purge: true } });
  assert.deepEqual(await ask('openapi'), document);
  checks.event('EventView', await firstOf(socket, '/v1/events?follow=1&since=0'));
  checks.event('LogLineView', await firstOf(socket, '/v1/logs?app=job&follow=1'));

  // What goes wrong has a form, too.
  await ask('show', { sel: 'nobody', status: 404 });
  await ask('show', { sel: 'all', status: 400 });
  await ask('stop', { body: { select: [] }, status: 400 });
  await ask('set', { body: { select, set: { nonsense: 1 } }, status: 422 });
  await ask('logs', { status: 400 });
  await ask('daemonStop');
  assert.deepEqual([...seen].sort(), Object.keys(routes).sort());
});

/** The data of the first event of a stream. */
function firstOf(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const data = /^data: (.*)$/m.exec(text)?.[1];
        if (data === undefined) return;
        request.destroy();
        resolve(JSON.parse(data));
      });
    }).once('error', reject);
  });
}

/** Validators by the document, stricter than it: what it does not name is wrong. */
class Checks {
  readonly #ajv = new Ajv2020({ strictTypes: false, strictTuples: false, strictSchema: false, allErrors: true });
  readonly #known = { components: closed(document.components) };
  readonly #compiled = new Map<string, ValidateFunction>();

  /** What is refused by its form is wrong by the document, too. */
  request(route: RouteName, body: unknown, isRight: boolean): void {
    const { schema } = this.#operation(route).requestBody!.content['application/json']!;
    if (isRight) this.#check(`request of ${route}`, schema, body);
    else assert.throws(() => this.#check(`request of ${route}`, schema, body));
  }

  answer(route: RouteName, status: number, body: unknown): void {
    const { responses } = this.#operation(route);
    const { content } = responses[status === 200 ? '200' : 'default']!;
    this.#check(`${status} of ${route}`, content['application/json']!.schema, body);
  }

  event(type: string, data: unknown): void {
    this.#check(`event ${type}`, { $ref: `#/components/schemas/${type}` }, data);
  }

  #operation(route: RouteName): Operation {
    const [method, path] = routes[route];
    return document.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()];
  }

  #check(what: string, schema: Json, value: unknown): void {
    const validate = this.#compiled.get(what) ?? this.#ajv.compile({ ...closed(schema), ...this.#known });
    this.#compiled.set(what, validate);
    assert.ok(validate(value), `${what}: ${JSON.stringify(validate.errors)}\n${JSON.stringify(value)}`);
  }
}

function closed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(closed) as T;
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  const isOpen = inner.type === 'object' && 'properties' in inner && !('additionalProperties' in inner);
  return { ...inner, ...(isOpen && { additionalProperties: false }) } as T;
}

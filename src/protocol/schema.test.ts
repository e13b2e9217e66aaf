import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import requests from './requests.json' with { type: 'json' };
import { mistakeIn, type Schema } from './schema.ts';

const definitions = requests.definitions as Readonly<Record<string, Schema>>;
const bodies = Object.entries(requests.bodies) as [string, Schema][];
const mistake = (route: string, value: unknown) =>
  mistakeIn(value, { schema: bodies.find(([name]) => name === route)![1], definitions });

const caller = { cwd: '/', env: ['A=b'], umask: 18, limits: { nofile: [1, null] }, nice: 0, oomScoreAdj: 0, pid: 1 };
const app = { kind: 'app', script: null, command: ['x'], args: [], options: {} };
/** All fields that a body may have, each with a right value. */
const whole = {
  select: ['web'],
  wait: true,
  caller,
  purge: false,
  leaveRunning: true,
  updateEnv: caller,
  to: '4',
  parallel: 1,
  canary: null,
  // biome-ignore lint/suspicious/noThenProperty: so it is called.
  then: 'begin',
  signal: 'HUP',
  set: {},
  unset: ['x'],
  targets: [],
  rest: [],
  options: {},
  isHeld: true,
  command: [],
  pid: 1,
  file: '/x',
  project: null,
  isPruned: true,
  isPartial: true,
  isDryRun: true,
  apps: [app],
  timeoutMs: 5,
};

/** A value with one part of it replaced, or left out. */
const damaged = fc
  .tuple(fc.array(fc.nat(30), { maxLength: 4 }), fc.option(fc.anything({ maxDepth: 2 })), fc.boolean())
  .map(([path, by, isRemoved]) => {
    const copy = structuredClone(whole) as unknown;
    let at = copy as Record<string, unknown>;
    for (const [depth, step] of path.entries()) {
      const keys = Object.keys(at);
      const key = keys[step % Math.max(1, keys.length)];
      if (key === undefined) break;
      const inner = at[key];
      if (depth === path.length - 1 || typeof inner !== 'object' || inner === null) {
        if (isRemoved && !Array.isArray(at)) delete at[key];
        else at[key] = by;
        break;
      }
      at = inner as Record<string, unknown>;
    }
    // As it is when it comes: JSON.
    return JSON.parse(JSON.stringify(copy, (_, value) => (typeof value === 'bigint' ? 1 : value))) as unknown;
  });

test('what is wrong with a request is found as Ajv finds it', () => {
  const ajv = new Ajv2020({ strictTypes: false, strictTuples: false, strictSchema: false });
  const known = { components: { schemas: definitions } };
  const validators = bodies.map(([route, schema]) => [route, ajv.compile({ ...schema, ...known })] as const);
  let wrong = 0;
  fc.assert(
    fc.property(damaged, (value) => {
      if (JSON.stringify(value).includes('\\u0000')) return;
      for (const [route, validate] of validators) {
        if (mistake(route, value) !== null) wrong++;
        assert.equal(mistake(route, value) === null, validate(value), `${route}: ${JSON.stringify(value)}`);
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(wrong > 1000, `${wrong}`);
});

test('a mistake is told by where it is and what should be there', () => {
  assert.equal(mistake('stop', null), 'The body must be an object.');
  assert.equal(mistake('stop', {}), '"select" must be there: a list that is not empty.');
  assert.equal(mistake('stop', { select: [] }), '"select" must be a list that is not empty.');
  assert.equal(mistake('stop', { select: ['a\0'] }), '"select[0]" must be a text.');
  assert.equal(mistake('stop', { select: ['a'], wait: 1 }), '"wait" must be true or false.');
  assert.equal(
    mistake('start', { ...whole, caller: { ...caller, umask: 512 } }),
    '"caller.umask" must be an integer from 0 to 511.',
  );
  assert.equal(
    mistake('restart', { select: ['a'], updateEnv: { ...caller, nice: 'x' } }),
    '"updateEnv.nice" must be an integer from -20 to 19.',
  );
  // biome-ignore lint/suspicious/noThenProperty: so it is called.
  assert.equal(mistake('reload', { select: ['a'], then: 'x' }), '"then" must be one of begin, continue, abort.');
  assert.equal(mistake('wait', { select: ['a'], timeoutMs: -1 }), '"timeoutMs" must be a number or null from 0.');
  assert.equal(mistake('wait', { select: ['a'], other: { of: 'a newer client' } }), null);
});

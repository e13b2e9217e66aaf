/** Values that no field of a request may have. */

const caller = {
  cwd: '/',
  env: ['PATH=/usr/bin:/bin'],
  umask: 18,
  limits: {},
  nice: 0,
  oomScoreAdj: 0,
  pid: 1,
  command: 'x',
};
const texts = [null, 5, 'x', true, {}, [5], [null], [['x']], ['a\0b']];
const flag = [null, 5, 'true', {}, []];
const whole = [null, 'x', true, {}, [], 0.5, -2000, 1e300];
const asker = [null, 5, 'x', true, [], { pid: 'x' }, { pid: 1.5 }, { command: 5 }];
const options = [
  5,
  'x',
  true,
  [],
  { nonsense: 1 },
  { name: 5 },
  { name: '' },
  { name: '../x' },
  { name: '__proto__/..' },
  { name: 'a\0' },
  { group: [] },
  { cwd: 5 },
  { cwd: '/nowhere/at/all' },
  { cwd: 'a\0' },
  { interpreter: {} },
  { interpreterArgs: 'x' },
  { env: 'x' },
  { env: [5] },
  { umask: -1 },
  { umask: 1e9 },
  { nice: 99 },
  { user: 5 },
  { user: '__proto__' },
  { user: '' },
  { noNewPrivs: 1 },
  { restart: 'toString' },
  { stopExitCodes: [1.5] },
  { maxRestarts: -1 },
  { stableAfterMs: 'x' },
  { stopSignal: '__proto__' },
  { stopSignal: 'constructor' },
  { stopTimeoutMs: -1 },
  { keepTree: 'x' },
  { leaveTimeoutMs: null },
];
const callers = [
  ...asker,
  {},
  { ...caller, cwd: 5 },
  { ...caller, cwd: 'rel' },
  { ...caller, cwd: '/\0' },
  { ...caller, env: {} },
  { ...caller, env: [5] },
  { ...caller, env: ['A=\0'] },
  ...['umask', 'nice', 'oomScoreAdj'].flatMap((key) => whole.map((value) => ({ ...caller, [key]: value }))),
  ...[null, 5, 'x', [], { nofile: 5 }, { nofile: [1] }, { nofile: ['1', 2] }, { 'no file': [1, 1] }].map((limits) => ({
    ...caller,
    limits,
  })),
];
const select = [
  ...texts.filter((value) => JSON.stringify(value) !== '["x"]'),
  [],
  [''],
  ['__proto__'],
  ['constructor'],
  ['@__proto__'],
  ['nobody'],
];
const selecting = {
  select: { right: ['web'], wrong: select },
  caller: { right: { pid: 1, command: 'x' }, wrong: asker },
  wait: { right: true, wrong: flag },
};

/** Of each POST route that changes something: a right value and wrong values of each field. */
export const fields: Record<string, Record<string, { right: unknown; wrong: readonly unknown[] }>> = {
  start: {
    targets: { right: ['sleep'], wrong: [...texts, ['']] },
    rest: { right: ['5'], wrong: texts },
    options: { right: {}, wrong: options },
    caller: { right: caller, wrong: [...callers, null] },
    wait: { right: false, wrong: flag },
  },
  run: {
    command: { right: ['true'], wrong: [...texts, [], ['']] },
    options: { right: {}, wrong: options },
    caller: { right: caller, wrong: [...callers, null] },
  },
  adopt: {
    pid: { right: 2 ** 30, wrong: [null, 5.5, 'x', true, {}, [], -1, 0, 1, 2 ** 30, 1e300] },
    options: { right: {}, wrong: options },
    caller: { right: { pid: 1, command: 'x' }, wrong: asker },
  },
  stop: selecting,
  restart: { ...selecting, updateEnv: { right: null, wrong: [5, 'x', true, [], ...callers.filter(Boolean)] } },
  delete: { ...selecting, purge: { right: false, wrong: flag } },
  signal: {
    ...selecting,
    signal: {
      right: 'SIGCONT',
      wrong: [null, 9, true, {}, [], '', 'SIGNO', '__proto__', 'toString', '99999', '-1', '1.5'],
    },
  },
  reset: selecting,
  wait: { select: selecting.select, timeoutMs: { right: 1, wrong: ['x', true, {}, [], -1] } },
};

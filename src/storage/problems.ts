/**
 * What is wrong with a file's content. A file may hold anything (a disk's fault, a person's edit), and what is wrong must be found here: further on it is
 * taken for what its type says.
 */
import type { StateName, Want } from '../protocol/api.ts';
import { type AppSpec, specFormat } from '../protocol/spec.ts';

export const stateFormat = 3;

export interface Problem {
  readonly text: string;
  /** It is of a later format: no damage, but not for this version. */
  readonly isLater: boolean;
}

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isBoolean: Check = (value) => typeof value === 'boolean';
const oneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record =
  (fields: Fields): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([key, check]) => check(value[key]));

/** The first field that isn't right, or null. */
const wrongField = (value: Record<string, unknown>, fields: Fields): string | null =>
  Object.entries(fields).find(([key, check]) => !check(value[key]))?.[0] ?? null;

const limit = orNull(isNumber);
const isLimits: Check = (value) =>
  isRecord(value) &&
  Object.values(value).every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((item) => limit(item)));

const isTextRecord: Check = (value) => isRecord(value) && Object.values(value).every(isText);
const check = orNull((value) => isRecord(value) && isText(value.kind));

const isListen: Check = (value) =>
  isRecord(value) &&
  orNull(isText)(value.name) &&
  (value.kind === 'unix'
    ? isText(value.path)
    : oneOf(['tcp', 'udp'])(value.kind) && isCount(value.port) && orNull(isText)(value.host));

/** An option's value, of whatever type; what it must be exactly was checked when it was said. */
const isOptionValue: Check = (value) => isText(value) || isNumber(value) || isBoolean(value) || listOf(isText)(value);

const specFields = {
  name: isText,
  kind: oneOf(['app', 'job']),
  group: orNull(isText),
  program: record({
    how: oneOf(['script', 'command', 'shell']),
    words: listOf(isText),
    interpreter: orNull(record({ name: isText, path: isText, args: listOf(isText) })),
  }),
  cwd: isText,
  env: listOf(isText),
  umask: isCount,
  limits: isLimits,
  nice: isNumber,
  oomScoreAdj: isNumber,
  user: orNull(record({ name: isText, uid: isCount, gid: isCount, home: isText, shell: isText })),
  options: (value) => isRecord(value) && Object.values(value).every(isOptionValue),
  origin: orNull(isText),
  inherited: record({ umask: isCount, limits: isLimits, nice: isNumber, oomScoreAdj: isNumber }),
  noNewPrivs: isBoolean,
  groups: orNull(listOf(isCount)),
  ioNice: orNull(record({ class: isCount, level: isCount })),
  maxMemory: limit,
  cpuWeight: limit,
  cpuQuota: limit,
  maxTasks: limit,
  restart: oneOf(['always', 'on-failure', 'no']),
  stopExitCodes: listOf((value) => isNumber(value) || isText(value)),
  backoff: record({ minMs: isNumber, maxMs: isNumber, factor: isNumber }),
  maxRestarts: limit,
  restartWindowMs: limit,
  retryFailedAfterMs: limit,
  stableAfterMs: isNumber,
  stopCommand: orNull(isText),
  stopStdin: orNull(isText),
  stopMessage: isBoolean,
  stopSignals: (value) => listOf(record({ signal: isText, waitMs: limit }))(value) && (value as unknown[]).length > 0,
  stopTimeoutMs: isNumber,
  ready: check,
  readyTimeoutMs: isNumber,
  alive: check,
  aliveIntervalMs: isNumber,
  aliveTimeoutMs: isNumber,
  aliveFailures: isNumber,
  dependsOn: isTextRecord,
  autostart: isBoolean,
  schedule: orNull(record({ pattern: isText, zone: orNull(isText), overlap: isText, missed: isText })),
  after: listOf(isText),
  slots: limit,
  timeoutMs: limit,
  envFiles: listOf(isText),
  secrets: isTextRecord,
  hooks: isTextRecord,
  keepTree: isBoolean,
  leaveTimeoutMs: isNumber,
  log: record({
    out: orNull(isText),
    err: orNull(isText),
    merge: isBoolean,
    via: orNull(isText),
    forward: orNull(isText),
    maxSize: limit,
    maxAgeMs: limit,
    keep: isCount,
    total: limit,
    compress: isBoolean,
  }),
  share: record({
    instances: (value) => value === null || (isCount(value) && value !== 0),
    listen: listOf(isListen),
    nonblock: isBoolean,
    incrementVar: orNull(isText),
    drainTimeoutMs: isNumber,
    drainSignal: isText,
    onDemand: isBoolean,
    idleTimeoutMs: limit,
  }),
  tty: orNull(record({ cols: isCount, rows: isCount, resize: isText, scrollback: isCount })),
  stdin: isBoolean,
  watch: orNull(
    record({
      paths: listOf(isText),
      ignore: listOf(isText),
      ext: orNull(listOf(isText)),
      gitignore: isBoolean,
      quietMs: isNumber,
      before: orNull(isText),
      onBusy: isText,
      signal: isText,
    }),
  ),
} satisfies { readonly [K in Exclude<keyof AppSpec, 'format'>]: Check };

const asker = oneOf(['user', 'daemon']);
const goal = oneOf(['stay', 'start', 'delete', 'policy', 'retire', 'await']);
const exit = orNull(record({ run: isCount, code: orNull(isNumber), signal: orNull(isText), upMs: orNull(isNumber) }));
/** What the automaton counts on in each of its states. */
const cause = orNull(record({ reason: isText, isFinal: isBoolean }));
const stateFields: Readonly<Record<StateName, Fields>> = {
  stopped: { reason: isText },
  completed: { reason: isText },
  failed: { reason: isText, until: limit, isLate: isBoolean },
  backoff: { until: isNumber, reason: isText },
  waiting: {
    for: oneOf(['turn', 'time', 'connection']),
    reason: isText,
    isBlocked: isBoolean,
    by: asker,
    isRestart: isBoolean,
  },
  starting: { run: isCount, since: isNumber, by: asker, isLaunched: isBoolean, deadline: limit },
  running: { run: isCount, since: isNumber, until: limit },
  stopping: {
    run: isCount,
    phase: oneOf(['leaving', 'asked', 'killing']),
    drains: isBoolean,
    step: isCount,
    deadline: isNumber,
    goal,
    exit,
    cause,
  },
  stuck: { run: isCount, goal, exit, cause, pids: listOf(isCount) },
};

const isAutomatonState: Check = (value) => {
  if (!isRecord(value) || typeof value.name !== 'string' || !Object.hasOwn(stateFields, value.name)) return false;
  return wrongField(value, stateFields[value.name as keyof typeof stateFields]) === null;
};

const wants: readonly Want[] = ['running', 'stopped', 'deleted'];
/** Of a state.json and of a request. */
export const isKeeper: Check = record({
  by: oneOf(['systemd']),
  scope: oneOf(['system', 'user']),
  main: isText,
  services: listOf(isText),
  sockets: listOf(isText),
  triggers: listOf(isText),
  files: listOf(isText),
  keys: listOf(isText),
  isWanted: isBoolean,
});

const stateFileFields: Fields = {
  id: isCount,
  want: oneOf(wants),
  by: isText,
  createdAt: isText,
  bootId: isText,
  instances: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      record({
        index: isCount,
        role: oneOf(['main', 'candidate', 'retiring']),
        lane: isCount,
        sinceWall: isNumber,
        model: record({
          state: isAutomatonState,
          restarts: isCount,
          streak: isCount,
          recent: listOf(isNumber),
          queued: isCount,
          lastTick: isNumber,
          run: isCount,
        }),
      }),
    ),
  keeper: (value) => value === undefined || isKeeper(value),
  rollout: orNull(
    record({
      pending: listOf(isCount),
      done: listOf(isCount),
      parallel: isCount,
      canary: orNull(isCount),
      isAborted: isBoolean,
      by: isText,
    }),
  ),
};

const damaged = (text: string): Problem => ({ text, isLater: false });

/** What is wrong with the format alone. */
export function formatProblem(value: unknown, format: number): Problem | null {
  if (!isRecord(value)) return damaged('is no object');
  if (value.format === format) return null;
  const isLater = typeof value.format === 'number' && value.format > format;
  return { text: `has format ${JSON.stringify(value.format)}, this version reads ${format}`, isLater };
}

/** What is wrong with the content of the `spec.json` of the app of this name. */
export function specProblem(value: unknown, name: string): Problem | null {
  const problem = formatProblem(value, specFormat) ?? fieldProblem(value, specFields);
  if (problem !== null) return problem;
  return (value as AppSpec).name === name ? null : damaged(`is that of "${(value as AppSpec).name}"`);
}

/** What is wrong with the content of a `state.json`. */
export const stateProblem = (value: unknown): Problem | null =>
  formatProblem(value, stateFormat) ?? fieldProblem(value, stateFileFields);

function fieldProblem(value: unknown, fields: Fields): Problem | null {
  const wrong = wrongField(value as Record<string, unknown>, fields);
  return wrong === null ? null : damaged(`has no usable "${wrong}"`);
}

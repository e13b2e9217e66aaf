/**
 * Checks jobs of Nomad in JSON, field by field as the documentation of Nomad's HTTP API has them:
 * https://developer.hashicorp.com/nomad/api-docs/json-jobs (read in November 2026), and for the configuration of the driver
 * https://developer.hashicorp.com/nomad/docs/drivers/raw_exec. Fields that stead never writes are left out: here they are unknown.
 */
import assert from 'node:assert/strict';

type Rule =
  | { readonly is: 'text' | 'flag' | 'count' | 'nanoseconds' }
  | { readonly is: 'one of'; readonly words: readonly string[] }
  | { readonly is: 'matching'; readonly pattern: RegExp }
  | { readonly is: 'list'; readonly of: Rule }
  /** Any names. */
  | { readonly is: 'map'; readonly of: Rule }
  | { readonly is: 'fields'; readonly fields: Readonly<Record<string, Rule>>; readonly needed: readonly string[] };

const text: Rule = { is: 'text' };
const flag: Rule = { is: 'flag' };
const count: Rule = { is: 'count' };
const time: Rule = { is: 'nanoseconds' };
const oneOf = (...words: string[]): Rule => ({ is: 'one of', words });
const list = (of: Rule): Rule => ({ is: 'list', of });
const fields = (all: Readonly<Record<string, Rule>>, ...needed: string[]): Rule => ({
  is: 'fields',
  fields: all,
  needed,
});

const check = fields(
  {
    Name: text,
    Type: oneOf('http', 'tcp', 'script'),
    Path: text,
    Protocol: oneOf('http', 'https'),
    PortLabel: text,
    Interval: time,
    Timeout: time,
    CheckRestart: fields({ Limit: count, Grace: time, IgnoreWarnings: flag }),
  },
  'Type',
  'Interval',
  'Timeout',
);

const service = fields(
  {
    // RFC 1123, below 64 characters.
    Name: { is: 'matching', pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/ },
    Provider: oneOf('consul', 'nomad'),
    PortLabel: text,
    Checks: list(check),
  },
  'Name',
);

const task = fields(
  {
    Name: text,
    Driver: oneOf('raw_exec', 'exec'),
    User: text,
    Config: fields({ command: text, args: list(text) }, 'command'),
    Env: { is: 'map', of: text },
    Templates: list(
      fields({
        EmbeddedTmpl: text,
        DestPath: text,
        Envvars: flag,
        ChangeMode: oneOf('noop', 'restart', 'signal', 'script'),
        Perms: { is: 'matching', pattern: /^[0-7]{3,4}$/ },
      }),
    ),
    Resources: fields({ CPU: count, MemoryMB: count }),
    KillSignal: { is: 'matching', pattern: /^SIG[A-Z0-9+]+$/ },
    KillTimeout: time,
    LogConfig: fields({ MaxFiles: count, MaxFileSizeMB: count }),
  },
  'Name',
  'Driver',
  'Config',
);

const port = fields({ Label: { is: 'matching', pattern: /^\w+$/ }, Value: count }, 'Label', 'Value');

const group = fields(
  {
    Name: text,
    Count: count,
    RestartPolicy: fields({ Attempts: count, Interval: time, Delay: time, Mode: oneOf('delay', 'fail') }),
    Networks: list(fields({ Mode: text, ReservedPorts: list(port) })),
    Services: list(service),
    Tasks: list(task),
  },
  'Name',
  'Tasks',
);

const job = fields(
  {
    ID: text,
    Name: text,
    Type: oneOf('service', 'batch', 'system', 'sysbatch'),
    Datacenters: list(text),
    Update: fields({
      MaxParallel: count,
      HealthCheck: oneOf('checks', 'task_states', 'manual'),
      MinHealthyTime: time,
      HealthyDeadline: time,
      ProgressDeadline: time,
      AutoRevert: flag,
    }),
    Periodic: fields(
      { Enabled: flag, SpecType: oneOf('cron'), Spec: text, TimeZone: text, ProhibitOverlap: flag },
      'Spec',
      'SpecType',
    ),
    TaskGroups: list(group),
  },
  'ID',
  'Name',
  'Datacenters',
  'TaskGroups',
);

/** Throws with the place of the first mistake. */
export const checkNomadJob = (value: unknown): void => checkValue(value, fields({ Job: job }, 'Job'), '');

function checkValue(value: unknown, rule: Rule, path: string): void {
  if (rule.is === 'list') {
    assert.ok(Array.isArray(value), `${path} must be a list`);
    for (const [at, item] of value.entries()) checkValue(item, rule.of, `${path}[${at}]`);
  } else if (rule.is === 'map' || rule.is === 'fields') {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${path} must be an object`);
    checkObject(value as Record<string, unknown>, rule, path);
  } else assert.ok(isPlain(value, rule), `${path} must be ${JSON.stringify(rule)}, not ${JSON.stringify(value)}`);
}

function isPlain(value: unknown, rule: Exclude<Rule, { readonly is: 'list' | 'map' | 'fields' }>): boolean {
  switch (rule.is) {
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'nanoseconds':
      return Number.isSafeInteger(value) && (value as number) >= 1_000_000;
    case 'one of':
      return rule.words.includes(value as string);
    case 'matching':
      return typeof value === 'string' && rule.pattern.test(value);
  }
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  rule: Extract<Rule, { is: 'map' | 'fields' }>,
  path: string,
): void {
  const needed = rule.is === 'fields' ? rule.needed : [];
  for (const name of needed) assert.ok(Object.hasOwn(value, name), `${path || 'the file'} needs ${name}`);
  for (const [name, inner] of Object.entries(value)) {
    const of = rule.is === 'map' ? rule.of : rule.fields[name];
    assert.ok(of !== undefined, `${path}.${name} is no field`);
    checkValue(inner, of, `${path}.${name}`);
  }
}

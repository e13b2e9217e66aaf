/**
 * The part of JSON Schema (2020-12) that the schemas of requests need, and what is wrong with a value by it, in words. The schemas are made from the types of `api.ts`; of a
 * text it holds besides that it has no NUL, which nothing that a system call takes can have.
 */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | boolean;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export interface Against {
  readonly schema: Schema;
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** A sentence; null if nothing is wrong. */
export function mistakeIn(value: unknown, { schema, definitions }: Against): string | null {
  const found = look(value, schema, definitions);
  if (found === null) return null;
  return `${found.path === '' ? 'The body' : `"${found.path.replace(/^\./, '')}"`} must be ${found.what}.`;
}

type Definitions = Against['definitions'];

/** Its path is put together on the way back: nearly always there is none. */
interface Mistake {
  /** `.caller.env[3]` */
  readonly path: string;
  readonly what: string;
}

function look(value: unknown, schema: Schema, definitions: Definitions): Mistake | null {
  if (isAnything(schema)) return null;
  if (schema.$ref !== undefined) return look(value, named(schema.$ref, definitions), definitions);
  if (schema.anyOf !== undefined) return anyOf(value, schema.anyOf, definitions);
  const isRight = isOfType(value, schema) && isAmong(value, schema) && isWithin(value, schema);
  if (!isRight) return { path: '', what: inWords(schema) };
  if (Array.isArray(value)) return lookAtItems(value, schema, definitions);
  return isObject(value) ? lookAtProperties(value, schema, definitions) : null;
}

const named = ($ref: string, definitions: Definitions): Schema => definitions[$ref.slice($ref.lastIndexOf('/') + 1)]!;

/** The mistake of the one that comes nearest: what is wrong is deepest in it. */
function anyOf(value: unknown, schemas: readonly Schema[], definitions: Definitions): Mistake | null {
  let nearest: Mistake | null = null;
  for (const schema of schemas) {
    const mistake = look(value, schema, definitions);
    if (mistake === null) return null;
    if (nearest === null || mistake.path.length > nearest.path.length) nearest = mistake;
  }
  return nearest;
}

const anything: Schema = {};

/** It says nothing: whoever uses it looks by himself. */
function isAnything(schema: Schema): boolean {
  for (const _ in schema) return false;
  return true;
}

function lookAtItems(
  value: readonly unknown[],
  { items, prefixItems }: Schema,
  definitions: Definitions,
): Mistake | null {
  const others = typeof items === 'object' ? items : anything;
  for (let index = 0; index < value.length; index++) {
    const mistake = look(value[index], prefixItems?.[index] ?? others, definitions);
    if (mistake !== null) return { ...mistake, path: `[${index}]${mistake.path}` };
  }
  return null;
}

function lookAtProperties(
  value: Readonly<Record<string, unknown>>,
  { properties, required, additionalProperties }: Schema,
  definitions: Definitions,
): Mistake | null {
  const others = typeof additionalProperties === 'object' ? additionalProperties : anything;
  const schemaOf = (key: string) =>
    properties !== undefined && Object.hasOwn(properties, key) ? properties[key]! : others;
  const missing = required?.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return { path: `.${missing}`, what: `there: ${wordsOf(schemaOf(missing), definitions)}` };
  for (const key of Object.keys(value)) {
    const mistake = look(value[key], schemaOf(key), definitions);
    if (mistake !== null) return { ...mistake, path: `.${key}${mistake.path}` };
  }
  return null;
}

function isOfType(value: unknown, { type }: Schema): boolean {
  if (typeof value === 'string' && value.includes('\0')) return false;
  if (type === undefined) return true;
  return typeof type === 'string' ? isOne(value, type) : type.some((one) => isOne(value, one));
}

function isOne(value: unknown, type: string): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

const isAmong = (value: unknown, schema: Schema): boolean =>
  (schema.enum?.includes(value) ?? true) && (!('const' in schema) || schema.const === value);

function isWithin(value: unknown, schema: Schema): boolean {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, minItems = 0, pattern } = schema;
  if (typeof value === 'number') return value >= minimum && value <= maximum;
  if (typeof value === 'string') return pattern === undefined || new RegExp(pattern, 'u').test(value);
  if (Array.isArray(value)) return value.length >= minItems && value.length <= (schema.maxItems ?? value.length);
  return true;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wordsOf = (schema: Schema, definitions: Definitions): string =>
  schema.$ref === undefined ? inWords(schema) : wordsOf(named(schema.$ref, definitions), definitions);

const names: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  null: 'null',
};

function inWords(schema: Schema): string {
  const { type, minimum, maximum, minItems = 0, pattern } = schema;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (type === undefined) return 'a value without NUL';
  const types = (typeof type === 'string' ? [type] : type).map((one) => names[one] ?? one).join(' or ');
  const isEmptyWrong = minItems > 0 ? ' that is not empty' : '';
  const least = minimum === undefined ? '' : ` from ${minimum}`;
  const most = maximum === undefined ? '' : ` to ${maximum}`;
  return `${types}${isEmptyWrong}${least}${most}${pattern === undefined ? '' : ` that matches ${pattern}`}`;
}

/**
 * The control API in other forms: of the types in src/protocol (ts-json-schema-generator reads them), the options table, the errors and what src/protocol/reference.ts says of
 * each route.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';
import { bundled } from './bundled.mjs';
import { apiMarkdown } from './make-api-markdown.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** `{ document, requests, markdown }` */
export async function apiDocs() {
  const { reference } = await bundled('src/protocol/reference.ts');
  const { routes } = await bundled('src/protocol/api.ts');
  const { errorCatalogue } = await bundled('src/protocol/errors.ts');
  const { protocolVersion } = await bundled('src/protocol/version.ts');
  const { optionsTable } = await bundled('src/config/options.ts');
  const { Answers, Bodies, ...schemas } = typeSchemas();
  const all = { ...schemas, SpecOptions: optionsSchema(optionsTable, schemas.SpecOptions) };
  const api = { reference, routes, errorCatalogue, protocolVersion };
  return {
    document: document(api, { answers: Answers.properties, bodies: Bodies.properties, schemas: all }),
    requests: requests(Bodies.properties, all),
    markdown: apiMarkdown(api, { answers: Answers.properties, bodies: Bodies.properties, schemas: all }),
  };
}

/** All exported types that requests and answers are made of. */
function typeSchemas() {
  const { definitions } = createGenerator({
    path: join(root, 'src/protocol/answers.ts'),
    tsconfig: join(root, 'tsconfig.json'),
    skipTypeCheck: true,
    expose: 'export',
    topRef: true,
    additionalProperties: true,
    encodeRefs: false,
  }).createSchema('*');
  return converted(definitions);
}

/** From draft 7 to 2020-12, as OpenAPI 3.1 has it: tuples, and where definitions lie. */
function converted(value) {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  const { items, $ref, ...others } = value;
  const rest = Object.fromEntries(Object.entries(others).map(([key, inner]) => [key, converted(inner)]));
  if ($ref !== undefined) return { $ref: $ref.replace('#/definitions/', '#/components/schemas/'), ...rest };
  if (Array.isArray(items)) return { ...rest, prefixItems: items.map(converted), items: false };
  return items === undefined ? rest : { ...rest, items: converted(items) };
}

/** The table says more of an option than its type. */
function optionsSchema(table, { properties, ...rest }) {
  const row = ({ property, text, default: without, choices, min, max, type }) => [
    property,
    {
      description: `${text[0].toUpperCase()}${text.slice(1)}. Without it: ${without}.`,
      ...properties[property],
      ...(choices && { enum: choices }),
      ...(['integer', 'octal'].includes(type) && { type: 'integer' }),
      ...(min !== undefined && { minimum: min }),
      ...(max !== undefined && { maximum: max }),
    },
  ];
  return { ...rest, properties: Object.fromEntries(table.map(row)), additionalProperties: false };
}

function document({ reference, routes, protocolVersion }, { answers, bodies, schemas }) {
  const paths = {};
  for (const [name, [method, path]] of Object.entries(routes)) {
    const place = path.replace(/:(\w+)/g, '{$1}');
    paths[place] = {
      ...paths[place],
      [method.toLowerCase()]: operation(name, reference[name], { path, answers, bodies }),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'stead',
      version: `${protocolVersion.major}.${protocolVersion.minor}`,
      summary: "The control API of stead's daemon.",
      description:
        'HTTP/1.1 with JSON on the Unix socket <home>/stead.sock. An answer is given when the effect is there. Times are ISO 8601, durations milliseconds, sizes bytes. A newer daemon may add fields, values and codes.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://stead', description: 'curl --unix-socket ~/.stead/stead.sock http://stead/v1/apps' }],
    security: [],
    paths,
    components: { schemas: sorted(schemas) },
  };
}

function operation(name, { text, query = {}, stream }, { path, answers, bodies }) {
  const parameters = [
    ...(path.includes(':sel')
      ? [
          parameter('sel', 'path', {
            text: 'A selector that names one app.',
            schema: { type: 'string' },
            isRequired: true,
          }),
        ]
      : []),
    ...Object.entries(query).map(([key, one]) => parameter(key, 'query', one)),
    {
      name: 'x-stead-protocol',
      in: 'header',
      description: 'MAJOR.MINOR that the client speaks; another major is refused.',
      schema: { type: 'string' },
    },
  ];
  const streamed = stream && {
    'text/event-stream': { schema: { type: 'string', description: `Each data is a ${stream}.` } },
  };
  return {
    operationId: name,
    summary: text,
    parameters,
    ...(bodies[name] && { requestBody: { required: true, content: { 'application/json': { schema: bodies[name] } } } }),
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: answers[name] }, ...streamed } },
      default: {
        description: 'Not done: an error.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { error: { $ref: '#/components/schemas/ErrorBody' } },
              required: ['error'],
            },
          },
        },
      },
    },
  };
}

const parameter = (name, place, { text, schema, isRequired = false }) => ({
  name,
  in: place,
  required: isRequired,
  description: text,
  schema,
});

/** What the daemon checks requests by: no words, and of options nothing, as they have a check of their own. */
function requests(bodies, schemas) {
  const needed = new Set();
  const collect = (value) => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (name === 'SpecOptions' || needed.has(name)) continue;
      needed.add(name);
      collect(schemas[name]);
    }
  };
  collect(bodies);
  const definitions = Object.fromEntries([...needed].sort().map((name) => [name, schemas[name]]));
  return bare({ bodies, definitions });
}

function bare(value) {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  if (value.$ref?.endsWith('/SpecOptions')) return {};
  const isSchema = 'type' in value || '$ref' in value || 'anyOf' in value || 'enum' in value;
  const entries = Object.entries(value).filter(([key]) => !isSchema || !['description', 'title'].includes(key));
  return Object.fromEntries(entries.map(([key, inner]) => [key, bare(inner)]));
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

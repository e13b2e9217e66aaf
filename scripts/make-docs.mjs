/**
 * Makes what is made of sources: docs/options.md and docs/stead.config.schema.json of the table of options; docs/stead.1 and docs/reference/commands.md of
 * the commands; docs/openapi.json, docs/reference/http.md and src/protocol/requests.json of the types of the control API. `node scripts/make-docs.mjs` writes them, with `--check` it says whether they are as they should be; exit
 * code 1 if not.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundled } from './bundled.mjs';
import { apiDocs } from './make-api-docs.mjs';
import { commandDocs } from './make-command-docs.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { optionsTable } = await bundled('src/config/options.ts');
const api = await apiDocs();
const commands = await commandDocs();

const files = {
  'docs/options.md': markdown(),
  'docs/stead.config.schema.json': `${JSON.stringify(schema(), null, 2)}\n`,
  'docs/stead.1': commands.man,
  'docs/reference/commands.md': commands.markdown,
  'docs/openapi.json': `${JSON.stringify(api.document, null, 2)}\n`,
  'docs/reference/http.md': api.markdown,
  'src/protocol/requests.json': `${JSON.stringify(api.requests, null, 2)}\n`,
};
if (process.argv.includes('--check')) {
  const stale = Object.entries(files).filter(([path, text]) => readIfThere(path) !== text);
  for (const [path] of stale) console.log(`${path} is not as its source says: node scripts/make-docs.mjs`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

function readIfThere(path) {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null;
}

function markdown() {
  const sections = [...new Set(optionsTable.map(({ section }) => section))];
  const cell = (text) => text.replaceAll('|', '\\|');
  const flag = ({ key, short }) => `${short ? `-${short}, ` : ''}--${key.replaceAll('_', '-')}`;
  const row = (option) =>
    `| \`${option.key}\` | \`${flag(option)}\` | ${cell(option.value ?? option.choices?.join(' | ') ?? 'on or off')} | ${cell(option.default)} | ${option.verbs.join(', ')} | ${cell(option.text)} |`;
  return [
    '# Options',
    '',
    'Made by `node scripts/make-docs.mjs` from the one table that also gives flags, checks and help. The key is that of a config file and of `stead set`; times are written `500ms 10s 5m 1h30m`, sizes `200M`, K being 1024.',
    '',
    ...sections.flatMap((section) => [
      `## ${section[0].toUpperCase()}${section.slice(1)}`,
      '',
      '| key | flag | value | default | of | |',
      '|---|---|---|---|---|---|',
      ...optionsTable.filter((option) => option.section === section).map(row),
      '',
    ]),
  ].join('\n');
}

function schema() {
  const options = Object.fromEntries(
    optionsTable.map((option) => [option.key, { description: option.text, ...typeOf(option) }]),
  );
  const env = { ...options.env, description: 'over env, with --env of this profile' };
  const more = { patternProperties: { '^env_(?!file$)[A-Za-z0-9_.-]+$': env } };
  options.log = {
    type: 'object',
    description: 'options of logs without log_ before them',
    properties: Object.fromEntries(
      Object.entries(options)
        .filter(([key]) => key.startsWith('log_'))
        .map(([key, value]) => [key.slice('log_'.length), value]),
    ),
    additionalProperties: false,
  };
  const words = { type: 'array', items: { type: ['string', 'number', 'boolean'] } };
  const app = {
    type: 'object',
    properties: {
      ...options,
      script: { type: 'string', description: 'the path of a script' },
      command: {
        oneOf: [{ type: 'string' }, words],
        description: 'a command: a list of words, or a text for the shell',
      },
      args: { ...words, description: 'arguments of the script or command' },
      job: { type: 'boolean', description: 'run once, as stead run does' },
    },
    ...more,
    oneOf: [{ required: ['script'] }, { required: ['command'] }],
    additionalProperties: false,
  };
  const some = { type: 'object', properties: options, ...more, additionalProperties: false };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'stead.config',
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      project: { type: 'string', description: 'what comes before a name that another project has' },
      defaults: some,
      groups: { type: 'object', additionalProperties: some },
      apps: {
        oneOf: [
          { type: 'array', items: app },
          { type: 'object', additionalProperties: app },
        ],
      },
    },
    required: ['apps'],
    additionalProperties: false,
    definitions: { listen: { oneOf: [listenEntry(), { type: 'array', items: listenEntry(), maxItems: 5 }] } },
  };
}

/** A port, an address as a flag has it, or the parts of it. */
function listenEntry() {
  return {
    oneOf: [
      { type: ['string', 'integer'] },
      {
        type: 'object',
        properties: {
          port: { type: 'integer', minimum: 1, maximum: 65_535 },
          host: { type: 'string' },
          path: { type: 'string' },
          name: { type: 'string' },
          udp: { type: 'boolean' },
        },
        oneOf: [{ required: ['port'] }, { required: ['path'] }],
        additionalProperties: false,
      },
    ],
  };
}

/** What a file may hold: maps where entries have names. */
function typeOf({ key, type, choices, min, max }) {
  const scalar = ['string', 'number', 'boolean'];
  switch (type) {
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: choices };
    case 'integer':
    case 'number':
      return { type, ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) };
    case 'size':
      return { type: ['string', 'integer'] };
    case 'texts':
      if (key === 'listen') return { $ref: '#/definitions/listen' };
      return {
        oneOf: [
          { type: scalar },
          { type: 'array', items: { type: scalar } },
          ...(['env', 'secret', 'limit', 'on', 'depends_on'].includes(key)
            ? [{ type: 'object', additionalProperties: { type: [...scalar, 'null'] } }]
            : []),
        ],
      };
    default:
      return { type: key === 'instances' ? ['string', 'integer'] : 'string' };
  }
}

/** docs/reference/http.md: routes, types and codes of the control API as tables. */

/** `answers`, `bodies`: schemas by route; `schemas`: by their names. */
export function apiMarkdown({ reference, routes, errorCatalogue }, { answers, bodies, schemas }) {
  const used = Object.keys(schemas).sort();
  return [
    '# The control API',
    '',
    'Made by `node scripts/make-docs.mjs`. The same for programs: [openapi.json](../openapi.json), which a daemon gives at `GET /v1/openapi.json`. [api.md](../api.md) shows how to use it.',
    '',
    '## Routes',
    '',
    '| | body | answer | |',
    '|---|---|---|---|',
    ...Object.entries(routes).map(([name, [method, path]]) => {
      const { text, stream } = reference[name];
      const body = bodies[name] ? typeText(bodies[name]) : '';
      const answer = `${typeText(answers[name])}${stream ? `, or a stream of ${stream}` : ''}`;
      return `| \`${method} ${path}\` | ${body} | ${answer} | ${cell(text)} |`;
    }),
    '',
    '## Query parameters',
    '',
    '| of | | |',
    '|---|---|---|',
    ...Object.entries(reference).flatMap(([name, { query = {} }]) =>
      Object.entries(query).map(([key, { text }]) => `| \`${routes[name].join(' ')}\` | \`${key}\` | ${cell(text)} |`),
    ),
    '',
    '## Types',
    '',
    'A field with `?` may be absent.',
    '',
    ...used
      .filter((name) => name !== 'SpecOptions' && name !== 'ErrorCode')
      .flatMap((name) => typeSection(name, schemas[name])),
    '### SpecOptions',
    '',
    'The options of an app, by their names in camel case: [options.md](../options.md). Times are milliseconds, sizes bytes.',
    '',
    '## Errors',
    '',
    'An answer with a status from 400 on is `{"error": ErrorBody}`. The exit code is that of the command.',
    '',
    '| code | status | exit code |',
    '|---|---|---|',
    ...Object.entries(errorCatalogue).map(([code, { status, exit }]) => `| \`${code}\` | ${status} | ${exit} |`),
    '',
  ].join('\n');
}

function typeSection(name, schema) {
  const parts = schema.anyOf ?? schema.allOf ?? [schema];
  const objects = parts.filter(({ properties }) => properties);
  const head = [`### ${name}`, '', ...(schema.description ? [cell(schema.description), ''] : [])];
  if (objects.length === 0) return [...head, typeText({ ...schema, $ref: undefined }), ''];
  return [...head, ...objects.flatMap((one) => [...fieldRows(one), ''])];
}

function fieldRows({ properties, required = [] }) {
  return [
    '| | | |',
    '|---|---|---|',
    ...Object.entries(properties).map(
      ([key, one]) =>
        `| \`${key}${required.includes(key) ? '' : '?'}\` | ${typeText(one)} | ${cell(one.description ?? '')} |`,
    ),
  ];
}

const cell = (text) => text.replaceAll('\n', ' ').replaceAll('|', '\\|');

/** A schema as a person reads a type. */
function typeText(schema) {
  if (schema === undefined || schema === true || Object.keys(schema).length === 0) return 'anything';
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeText))].join(' \\| ');
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' \\| ');
  if ('const' in schema) return `\`${schema.const}\``;
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ ...schema, type })).join(' \\| ');
  if (schema.type === 'array' && schema.prefixItems) return `[${schema.prefixItems.map(typeText).join(', ')}]`;
  if (schema.type === 'array') return `list of ${typeText(schema.items)}`;
  if (schema.type !== 'object') return `${schema.type}${boundsText(schema)}`;
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    const fields = Object.entries(schema.properties).map(
      ([key, one]) => `${key}${schema.required?.includes(key) ? '' : '?'}: ${typeText(one)}`,
    );
    return `{ ${fields.join(', ')} }`;
  }
  return typeof schema.additionalProperties === 'object' && Object.keys(schema.additionalProperties).length > 0
    ? `map to ${typeText(schema.additionalProperties)}`
    : 'object';
}

const boundsText = ({ minimum, maximum }) =>
  `${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`;

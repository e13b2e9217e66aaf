/** docs/reference/commands.md: one section for each command. */

/** `line`: the command line as scripts/make-command-docs.mjs puts it together. */
export function commandMarkdown(line) {
  return [
    '# Commands',
    '',
    'Made by `node scripts/make-docs.mjs` from what `stead help` shows; `man stead` has the same. `-h` or `--help` explains each command.',
    '',
    '| | |',
    '|---|---|',
    ...line.commands.map(({ name, summary }) => `| [stead ${name}](#stead-${name}) | ${cell(summary)} |`),
    '',
    '## Selectors',
    '',
    ...paragraphs(line.selectors),
    ...line.commands.flatMap(commandSection),
    '## Exit codes',
    '',
    '| | | errors |',
    '|---|---|---|',
    ...line.exits.map(({ exit, text, codes }) => `| ${exit} | ${text} | ${codes.map(code).join(', ')} |`),
    '',
    prose(line.programExits),
    '',
    '## Files',
    '',
    ...table(line.files),
    '## Environment',
    '',
    'stead reads:',
    '',
    ...table(line.variables),
    'A program that it runs finds, besides the environment of the shell that started it:',
    '',
    ...table(line.programVariables),
  ].join('\n');
}

function commandSection({ name, synonyms, summary, usage, about, examples, own, shared }) {
  return [
    `## stead ${name}`,
    '',
    `${prose(summary[0].toUpperCase() + summary.slice(1))}.${alsoCalled(synonyms)}`,
    '',
    ...fenced(usage.map((form) => `stead ${form}`)),
    ...about.flatMap((paragraph) => [prose(paragraph), '']),
    ...(own.length > 0 ? table(own.map((flag) => [flagText(flag), flag.about])) : []),
    ...sharedNames(shared),
    examples.length === 1 ? 'Example:' : 'Examples:',
    '',
    ...table(examples),
  ];
}

const alsoCalled = (synonyms) =>
  synonyms.length > 0 ? ` Also: ${synonyms.map((word) => code(`stead ${word}`)).join(', ')}.` : '';

const flagText = ({ short, long, value }) => `${short ? `-${short}, ` : ''}${long}${value ? ` <${value}>` : ''}`;

function sharedNames(flags) {
  if (flags.length === 0) return [];
  const names = flags.map(({ long }) => code(long)).join(', ');
  return [`Options of apps, which [options.md](../options.md) explains: ${names}.`, ''];
}

const table = (rows) => [
  '| | |',
  '|---|---|',
  ...rows.map(([shown, text]) => `| ${code(shown.replaceAll('|', '\\|'))} | ${cell(text)} |`),
  '',
];

/** Lines that begin with blanks stay as they are. */
function paragraphs(lines) {
  const parts = lines.join('\n').split('\n\n');
  return parts.flatMap((part) => (part.startsWith(' ') ? fenced(part.split('\n')) : [prose(part), '']));
}

const fenced = (lines) => ['```', ...lines, '```', ''];

const code = (text) => `\`${text}\``;

const cell = (text) => prose(text).replaceAll('|', '\\|');

/** Outside of backquotes nothing is HTML or emphasis. */
const prose = (text) =>
  text
    .split('`')
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/[<*_\\]/g, '\\$&')))
    .join('`');

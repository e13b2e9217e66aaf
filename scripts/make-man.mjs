/** docs/stead.1, in the man macros: groff and mandoc read it. */

/** `line`: the command line as scripts/make-command-docs.mjs puts it together. */
export function manPage(line) {
  return [
    '.\\" Made by node scripts/make-docs.mjs',
    '.TH STEAD 1 "" "stead" "User Commands"',
    '.\\" No option is cut in two.',
    '.nh',
    '.ad l',
    '.SH NAME',
    roff('stead - runs anything as a daemon, keeps it running, and shows what it does'),
    '.SH SYNOPSIS',
    '.B stead',
    '.I command',
    roff('[options]'),
    '.SH DESCRIPTION',
    roff(
      'stead starts a script, a program or a command line in the background and keeps it running: it outlives your terminal, its own crashes, and stead itself. The daemon is started by the first command that needs it. No configuration is needed.',
    ),
    ...paragraph('Without a command it is stead list.'),
    '.SH SELECTORS',
    ...paragraphs(line.selectors),
    '.SH OPTIONS',
    'Every command has',
    ...tagged('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'show what it does and which options it has'),
    ...paragraph('Without a command there are'),
    ...tagged('\\fB\\-v\\fR, \\fB\\-V\\fR, \\fB\\-\\-version\\fR', 'print the version'),
    ...paragraph(
      'A value follows its option, or stands behind = (--name web, --name=web, -g batch). What is on or off is taken back by --no-NAME. Times are written 500ms, 10s, 5m, 1h30m; sizes 200M, K being 1024.',
    ),
    '.SH COMMANDS',
    ...line.commands.flatMap(commandSection),
    '.SH OPTIONS OF APPS',
    'The commands that have one stand behind it. In a config file and for',
    '.B stead set',
    roff(`the key is the name without --, with _ for -; of ${keptOn(line.options)} without --no-.`),
    ...optionSections(line.options),
    '.SH EXIT STATUS',
    ...line.exits.flatMap(({ exit, text, codes }) => tagged(bold(exit), withCodes(text, codes))),
    ...paragraph(line.programExits),
    '.SH FILES',
    ...line.files.flatMap(([name, text]) => tagged(italic(name), text)),
    '.SH ENVIRONMENT',
    'stead reads',
    ...line.variables.flatMap(([name, text]) => tagged(bold(name), text)),
    ...paragraph('A program that it runs finds, besides the environment of the shell that started it,'),
    ...line.programVariables.flatMap(([name, text]) => tagged(bold(name), text)),
    '.SH SEE ALSO',
    roff('stead help config, instances, terminals, names, environment, json'),
    ...paragraph('README.md and docs/ in the package: npm root -g says where that is.'),
    '',
  ]
    .filter((row, at, rows) => row !== '.PP' || !/^\.S[HS] /.test(rows[at - 1]))
    .join('\n');
}

function commandSection({ name, synonyms, summary, usage, about, examples, own, shared }) {
  return [
    `.SS "stead ${name}"`,
    roff(`${summary[0].toUpperCase()}${summary.slice(1)}.${alsoCalled(synonyms)}`),
    ...verbatim(usage.map((form) => `stead ${form}`)),
    ...about.flatMap(paragraph),
    ...own.flatMap((flag) => tagged(flagTag(flag), flag.about)),
    ...sharedNames(shared),
    '.PP',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.flatMap(([command, text]) => tagged(bold(command), text)),
  ];
}

const alsoCalled = (synonyms) =>
  synonyms.length > 0 ? ` Also: ${synonyms.map((word) => `stead ${word}`).join(', ')}.` : '';

function sharedNames(flags) {
  if (flags.length === 0) return [];
  return ['.PP', 'Options of apps, explained below:', `${flags.map(({ long }) => bold(long)).join(', ')}.`];
}

/** Those of which the key is not what puts them off. */
const keptOn = (options) =>
  options
    .filter(({ name, long }) => long !== `--${name}`)
    .map(({ long }) => long)
    .join(', ');

function optionSections(options) {
  const sections = [...new Set(options.map(({ section }) => section))];
  return sections.flatMap((section) => [
    `.SS "${section[0].toUpperCase()}${section.slice(1)}"`,
    ...options
      .filter((option) => option.section === section)
      .flatMap((option) => tagged(flagTag(option), `${option.about} [${option.of.join(', ')}]`)),
  ]);
}

const withCodes = (text, codes) => (codes.length > 0 ? `${text}: ${codes.join(', ')}` : text);

const flagTag = ({ short, long, value }) =>
  `${short ? `${bold(`-${short}`)}, ` : ''}${bold(long)}${value ? ` ${italic(value)}` : ''}`;

const tagged = (tag, text) => ['.TP', tag, roff(text)];

const paragraph = (text) => ['.PP', roff(text)];

/** Lines that begin with blanks stay as they are. */
function paragraphs(lines) {
  const parts = lines.join('\n').split('\n\n');
  return parts.flatMap((part) =>
    part.startsWith(' ') ? verbatim(part.split('\n').map((row) => row.slice(2))) : paragraph(part),
  );
}

const verbatim = (lines) => ['.PP', '.RS 4', '.nf', ...lines.map(roff), '.fi', '.RE'];

const bold = (text) => `\\fB${escaped(text)}\\fR`;

const italic = (text) => `\\fI${escaped(text)}\\fR`;

/** A line of text: what is between backquotes is bold, and nothing in it is a request. */
function roff(text) {
  const line = text
    .split('`')
    .map((part, at) => (at % 2 === 1 ? bold(part) : escaped(part)))
    .join('');
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** Characters that groff would set as others, so that what is copied from the page is what was meant; beyond ASCII by number. */
const marks = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '…': '...',
  '’': '\\(aq',
};

const escaped = (text) =>
  text
    .replace(/[\\\-'`^~…’]/g, (mark) => marks[mark])
    .replace(/[^\x00-\x7f]/gu, (char) => `\\[u${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);

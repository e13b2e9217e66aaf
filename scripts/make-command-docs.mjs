/** The command line in other forms, docs/stead.1 and docs/reference/commands.md: of the records of the commands, the options table, the topics of help and the errors. */
import { bundled } from './bundled.mjs';
import { commandMarkdown } from './make-command-markdown.mjs';
import { manPage } from './make-man.mjs';

/** `{ man, markdown }` */
export async function commandDocs() {
  const [{ catalogue }, { command: help }, { command: completion }, { allFlags }, { verbs }, more] = await Promise.all([
    bundled('src/cli/catalogue.ts'),
    bundled('src/cli/commands/help.ts'),
    bundled('src/cli/commands/completion.ts'),
    bundled('src/cli/run-command.ts'),
    bundled('src/cli/verbs.ts'),
    moreSources(),
  ]);
  const records = [...catalogue, completion, help];
  const commands = Object.entries(verbs).map(([name, verb]) => {
    const record = records.find((one) => one.name === name);
    return { ...record, ...verb, ...flagsOf(allFlags(record)) };
  });
  const options = more.options.map((option) => ({ ...option, of: commandsWith(option, commands) }));
  const line = { commands, ...more, options, files, variables, programVariables };
  return { man: manPage(line), markdown: commandMarkdown(line) };
}

function commandsWith({ name }, commands) {
  return commands.filter(({ shared }) => shared.some((flag) => flag.name === name)).map((command) => command.name);
}

async function moreSources() {
  const [{ optionsTable }, { topics }, { errorCatalogue }] = await Promise.all([
    bundled('src/config/options.ts'),
    bundled('src/cli/topics.ts'),
    bundled('src/protocol/errors.ts'),
  ]);
  const options = optionsTable.map(({ key, ...option }) => shown({ ...option, name: key.replaceAll('_', '-') }));
  const [, ...selectors] = topics.selectors;
  return { options, selectors, exits: exitsOf(errorCatalogue), programExits: lastParagraph(topics['exit-codes']) };
}

/** A command's own flags, and the names of those that it has of the options table. `--help`, which all have, is told once. */
function flagsOf(flags) {
  return {
    own: flags.filter(({ name, section }) => section === undefined && name !== 'help').map(shown),
    shared: flags.filter(({ section }) => section !== undefined).map(shown),
  };
}

/** As help shows it (src/cli/render/help.ts): what is on is named by what puts it off. */
function shown(flag) {
  const isOn = flag.type === 'boolean' && flag.default === 'on';
  const isTelling = flag.default !== undefined && !isOn && !['none', 'off'].includes(flag.default);
  return {
    ...flag,
    long: `--${isOn ? 'no-' : ''}${flag.name}`,
    about: isTelling ? `${flag.text} (default: ${flag.default})` : flag.text,
  };
}

/** What each exit code means, with the codes of the errors that have it. */
function exitsOf(errorCatalogue) {
  const used = new Set(Object.values(errorCatalogue).map(({ exit }) => exit));
  for (const exit of used) if (!(exit in exitWords)) throw new Error(`exit code ${exit} has no words`);
  return Object.entries(exitWords).map(([exit, text]) => ({
    exit,
    text,
    codes: Object.keys(errorCatalogue).filter((code) => errorCatalogue[code].exit === Number(exit)),
  }));
}

function lastParagraph(lines) {
  return lines.slice(lines.lastIndexOf('') + 1).join(' ');
}

const exitWords = {
  0: 'done',
  1: 'failed',
  2: 'wrong usage',
  3: 'no such app',
  4: 'the daemon cannot be reached',
  5: 'refused',
  6: 'timed out, or cannot be ended',
  7: 'versions of command and daemon differ',
};

const files = [
  ['~/.stead', 'the home, private to you; another one by STEAD_HOME'],
  ['~/.stead/apps/', 'what was asked for and how it is, readable with cat and ls'],
  ['~/.stead/logs/NAME/0.out.log', 'what instance 0 of an app wrote to stdout; archives lie beside it'],
  ['~/.stead/logs/NAME/0.err.log', 'the same of stderr'],
  ['~/.stead/stead.sock', 'the socket on which the daemon answers'],
  ['~/.stead/daemon.log', 'what the daemon has to say: stead daemon logs'],
  ['~/.stead/config.yaml', 'settings of the home: how much all logs together may take'],
  ['~/.stead/dump.json', 'where stead dump writes without a name'],
  ['stead.config.yaml, .json, .js, .ts', 'the config file that apply, up, down and config take without a name'],
];

const variables = [
  ['STEAD_HOME', 'where all is kept, in place of ~/.stead'],
  ['STEAD_DETACH_KEYS', "the keys that leave a terminal, in place of 'C-b d'"],
  ['STEAD_TRUST_CONFIG', "1: as root, take a config in JS or TS that is another user's, too"],
  ['STEAD_DEBUG', '1: show where an unexpected error came from'],
  ['NO_COLOR', 'no colours'],
];

const programVariables = [
  ['STEAD_INSTANCE, NODE_APP_INSTANCE', 'with --instances: its index'],
  ['LISTEN_FDS', 'how many sockets of --listen are handed over, from descriptor 3 on'],
];

/** What an app runs: script, interpreter, arguments. Files are looked up here, as pm2's choice goes by them. */
import { basename, extname, resolve } from 'node:path';
import type { Values } from './fields.ts';
import { type AppReading, type EcosystemContext, isOn, type Part, text, texts } from './reading.ts';
import { splitWords } from './words.ts';

/** By the extension of a script; `.py`, TypeScript and what has none are told apart below. */
const byExtension: Readonly<Record<string, string>> = {
  '.sh': 'bash',
  '.rb': 'ruby',
  '.php': 'php',
  '.pl': 'perl',
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.coffee': 'coffee',
  '.ls': 'lsc',
};
const typescript: readonly string[] = ['.ts', '.tsx', '.mts', '.cts'];

export interface ProgramPart extends Part {
  /** By pm2's word: what it may run in cluster mode. */
  readonly isNode: boolean;
  /** The whole command line, for a job; null: it is one already, or can't be told. */
  readonly words: readonly string[] | null;
}

/** Where an app's paths are taken from, and how it is called without a name. */
export function defaultName(script: string): string {
  const base = basename(script);
  return base.slice(0, base.lastIndexOf('.') > 0 ? base.lastIndexOf('.') : undefined);
}

export function readProgram(app: AppReading): ProgramPart {
  const { values, cwd, context } = app;
  const script = text(values, 'script');
  const nothing = { isNode: false, words: null };
  if (script === undefined || script === '') return { ...nothing, mistakes: ['there is no "script"'] };
  if (script === 'serve') return { ...nothing, mistakes: [noServe] };
  const path = resolve(cwd, script.replace(/^~(?=\/)/, context.env.HOME ?? '~'));
  const kind = context.lookAt(path);
  if (kind === null && /\s/.test(script)) return shellLine(script, values);
  if (kind === 'directory')
    return command([text(values, 'exec_interpreter') ?? 'node', ...nodeArgs(values), path], app, true);
  const found = kind === null ? (script.includes('/') ? null : context.find(script)) : path;
  if (found === null) return scriptAt(path, { kind: null, app });
  const chosen = text(values, 'exec_interpreter');
  // As it is found in PATH, so it is executed: behind an interpreter of its own, if it has one.
  if (kind === null && chosen === undefined) {
    const part = command([script], app, context.lookAt(found) !== 'binary');
    return nodeArgs(values).length === 0
      ? part
      : { ...part, notes: [`node_args: ${script} is a command, and gets none.`] };
  }
  return scriptAt(found, { kind: kind ?? context.lookAt(found), app });
}

const noServe =
  '"script: serve" is pm2\'s own file server, and stead has none: "npx serve DIRECTORY", "python3 -m http.server" or a web server do it';

function shellLine(line: string, values: Values): ProgramPart {
  return {
    stanza: { command: ['bash', '-c', line] },
    isNode: false,
    words: null,
    notes:
      values.args === undefined
        ? []
        : ['args: a line for the shell gets none, with pm2 neither; write them into "script".'],
  };
}

function command(first: readonly string[], { values }: AppReading, isNode: boolean): ProgramPart {
  return { stanza: { command: [...first, ...args(values)] }, isNode, words: null };
}

function scriptAt(
  path: string,
  { kind, app }: { readonly kind: ReturnType<EcosystemContext['lookAt']>; readonly app: AppReading },
): ProgramPart {
  const { values, context } = app;
  const said = text(values, 'exec_interpreter');
  const { interpreter, notes = [], env } = said === undefined ? byFile(path, kind, context) : named(said, context);
  const own = [...sourceMaps(values, interpreter), ...nodeArgs(values)];
  const isNode =
    interpreter === undefined ? typescript.includes(extname(path)) : /^(node|bun)(js)?$/.test(basename(interpreter));
  const executesItself = interpreter === 'none' || interpreter === undefined;
  return {
    stanza: {
      script: path,
      ...(interpreter !== undefined && { interpreter }),
      ...(own.length > 0 && !executesItself && { interpreter_args: own }),
      ...(args(values).length > 0 && { args: args(values) }),
      ...(env && { env }),
    },
    isNode,
    words:
      interpreter === 'none'
        ? [path, ...args(values)]
        : interpreter === undefined
          ? null
          : [interpreter, ...own, path, ...args(values)],
    notes: [
      ...notes,
      ...(own.length > 0 && executesItself
        ? ['node_args: without an interpreter nothing takes them; name one ("interpreter").']
        : []),
    ],
  };
}

interface Chosen {
  /** Undefined: stead's own choice. */
  readonly interpreter?: string;
  readonly notes?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function byFile(path: string, kind: ReturnType<EcosystemContext['lookAt']>, context: EcosystemContext): Chosen {
  const extension = extname(path);
  // Python keeps what it prints to itself where stdout is no terminal.
  if (extension === '.py')
    return { interpreter: context.find('python') === null ? 'python3' : 'python', env: { PYTHONUNBUFFERED: '1' } };
  if (typescript.includes(extension)) return context.find('bun') === null ? {} : { interpreter: 'bun' };
  if (Object.hasOwn(byExtension, extension)) return { interpreter: byExtension[extension]! };
  if (kind === 'binary') return { interpreter: 'none' };
  if (kind === 'script')
    return { notes: ['It has a #! line and no extension: it is run by that, and pm2 runs it with node.'] };
  return { interpreter: 'node' };
}

function named(word: string, { env, lookAt }: EcosystemContext): Chosen {
  const version = /^node@v?(.+)$/.exec(word)?.[1];
  if (version === undefined) return { interpreter: word };
  const folder = env.NVM_DIR ?? `${env.HOME ?? ''}/.nvm`;
  const interpreter = `${folder}/versions/node/v${version}/bin/node`;
  return {
    interpreter,
    notes: lookAt(interpreter) === null ? [`${word} is not installed: nvm install ${version}`] : [],
  };
}

function args(values: Values): readonly string[] {
  const { args: given } = values;
  return typeof given === 'string' ? splitWords(given) : (texts(values, 'args') ?? []);
}

function nodeArgs(values: Values): readonly string[] {
  const { node_args: given } = values;
  return typeof given === 'string' ? splitWords(given) : (texts(values, 'node_args') ?? []);
}

/** pm2 switches them on for all; here only who asks for them pays for them. */
const sourceMaps = (values: Values, interpreter: string | undefined): readonly string[] =>
  isOn(values, 'source_map_support') && !isOn(values, 'disable_source_map_support') && interpreter === 'node'
    ? ['--enable-source-maps']
    : [];

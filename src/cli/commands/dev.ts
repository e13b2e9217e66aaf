import { join } from 'node:path';
import { dev, extensionsOf, launchFor } from '../../dev/dev.ts';
import { nodemonFlags, steadFlags } from '../../dev/flags.ts';
import { parseDevLine } from '../../dev/line.ts';
import { settle } from '../../dev/settle.ts';
import type { Call, Command } from '../command.ts';
import { isTerminal, printJson, say } from '../output.ts';
import { commandExits } from '../program-exit.ts';

export const command: Command = {
  name: 'dev',
  usage: ['dev [options] [node options] [script] [arguments]', 'dev [options] -x <command> [script] [arguments]'],
  about: [
    'Runs a program here, in the foreground, and restarts it when its files change: once for a burst of changes, and when nothing of the old run is left. Its output and its terminal are its own. It starts no daemon.',
    "It takes nodemon's place: options, nodemon.json, and nodemonConfig in package.json have their meaning. Options of nodemon may stand behind the script, too, up to --; what is no option here is the program's, or node's if it stands before the script. Without a script it is what package.json says: main, else scripts.start.",
    "Ctrl-C ends it with all that it started, a second one kills. rs and Enter restarts it. A program that reads its terminal gets rs itself, and Ctrl-C, too, if it reads keys (readline, raw mode). Its exit code is 130 after Ctrl-C, 143 after SIGTERM, the program's own with --exitcrash, 127 if there is no such command.",
  ],
  examples: [
    ['stead dev server.js', 'restart on changes of .js, .mjs, .cjs, .json'],
    ['stead dev -w src -e ts,json src/main.ts', 'tsx, ts-node or bun: what the project has'],
    ["stead dev -w src -e ts --before 'npm run build' dist/main.js", 'what fails to build leaves the old one running'],
    ['stead dev -x "python3 -u" app.py --port 8000', 'any program'],
  ],
  flags: () => [...nodemonFlags, ...steadFlags],
  hasJson: false,
  parse: parseDevLine,
  exitOf: ({ code }) => commandExits[code] ?? null,
  run,
};

async function run(call: Call): Promise<number> {
  const { env } = process;
  const settings = settle({ line: call, env, cwd: process.cwd() });
  if (call.values.dump === true) {
    const launch = await launchFor(settings, env);
    const { env: _env, ...shown } = launch;
    printJson({ ...settings, extensions: extensionsOf(settings, launch), launch: shown });
    return 0;
  }
  const preload = join(__dirname, '../graph.cjs');
  const isColored = isTerminal(2) && env.NO_COLOR === undefined && env.TERM !== 'dumb';
  return dev({ settings, env, home: call.home, preload, print: say, isColored });
}

/** From a command line and nodemon's files to settings. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ParsedLine } from '../config/parse.ts';
import { parseSignal, quote } from '../config/values.ts';
import { SteadError } from '../protocol/errors.ts';
import { usualMostMs, usualQuietMs } from '../watch/watcher.ts';
import { readConfigFiles } from './config-files.ts';
import { divideWords, isTarget } from './line.ts';
import { delayOfLine, mergeConfigs, type NodemonConfig } from './nodemon-config.ts';
import {
  type BusyPolicy,
  type EventName,
  eventNames,
  type ProgramSettings,
  type Settings,
  type WatchSettings,
} from './settings.ts';

const usualStopTimeoutMs = 10_000;
/** As nodemon has it. */
const usualPollMs = 100;
/** A burst that never ends is cut after so many times the delay that was asked for: nodemon would wait for ever. */
const mostDelays = 5;

export interface Asked {
  readonly line: ParsedLine;
  readonly env: NodeJS.ProcessEnv;
  /** Where the command was called. */
  readonly cwd: string;
}

/** Throws CWD_MISSING, CONFIG_NOT_FOUND, CONFIG_INVALID, OPTION_INVALID, USAGE. */
export function settle({ line, env, cwd: caller }: Asked): Settings {
  const { values } = line;
  const cwd = directoryOf(values.cwd, caller);
  const named = typeof values.config === 'string' ? values.config : undefined;
  const { configs, files } = readConfigFiles({ cwd, homeDirectory: env.HOME, named });
  const given = configOfLine(values);
  const config = mergeConfigs([given, ...configs]);
  return {
    cwd,
    files,
    program: programOf(line, config, cwd),
    watch: watchOf(config, values),
    signal: parseSignal(config.signal ?? 'SIGTERM', 'signal'),
    stopTimeoutMs: typeof values['stop-timeout'] === 'number' ? values['stop-timeout'] : usualStopTimeoutMs,
    isOnChangeOnly: config.runOnChangeOnly === true,
    endsOnCrash: config.exitCrash === true,
    restartsOnCrash: values.restart === true,
    before: typeof values.before === 'string' ? values.before : null,
    onBusy: (values['on-busy'] as BusyPolicy | undefined) ?? 'restart',
    restartWord: config.stdin === false || config.restartable === false ? null : (config.restartable ?? 'rs'),
    events: eventsOf(config),
    isVerbose: config.verbose === true,
    isQuiet: config.quiet === true && config.verbose !== true,
    hasColors: config.colours !== false,
  };
}

function directoryOf(given: unknown, caller: string): string {
  const cwd = typeof given === 'string' ? resolve(caller, given) : caller;
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return cwd;
  throw new SteadError('CWD_MISSING', `The directory ${quote(cwd)} does not exist`, {
    hint: 'make it, or choose another with --cwd',
  });
}

/** Undefined is what was not said. */
function configOfLine(values: ParsedLine['values']): NodemonConfig {
  const { watch, ignore, ext, exec, delay, signal } = values;
  const config: { -readonly [key in keyof NodemonConfig]: NodemonConfig[key] | undefined } = {
    watch: watch as readonly string[] | undefined,
    ignore: ignore as readonly string[] | undefined,
    ext: ext as string | undefined,
    exec: exec as string | undefined,
    delayMs: typeof delay === 'string' ? delayIn(delay) : undefined,
    signal: signal as string | undefined,
    stdin: values['no-stdin'] === true ? false : undefined,
    runOnChangeOnly: onIf(values['on-change-only']),
    exitCrash: onIf(values.exitcrash),
    legacyWatch: onIf(values['legacy-watch']),
    pollingInterval: values['polling-interval'] as number | undefined,
    verbose: onIf(values.verbose),
    quiet: onIf(values.quiet),
    colours: values['no-colors'] === true || values['no-colours'] === true ? false : undefined,
  };
  return config as NodemonConfig;
}

const onIf = (value: unknown): true | undefined => (value === true ? true : undefined);

function delayIn(text: string): number {
  const ms = delayOfLine(text);
  if (ms !== undefined) return ms;
  throw new SteadError('OPTION_INVALID', `--delay takes seconds, or a time such as 500ms or 2.5s, not ${quote(text)}`);
}

function programOf(line: ParsedLine, config: NodemonConfig, cwd: string): ProgramSettings {
  const { before, script, args } = divideWords(line, cwd);
  const isArgument =
    script !== null && config.exec !== undefined && !isTarget(script, cwd) && !hasCompletion(script, config, cwd);
  return {
    exec: config.exec ?? null,
    execArgs: config.execArgs ?? [],
    execMap: config.execMap ?? {},
    before: [...(config.exec === undefined ? (config.nodeArgs ?? []) : []), ...before],
    script: isArgument ? null : (script ?? config.script ?? null),
    args: isArgument ? [script, ...args] : script === null && args.length === 0 ? (config.args ?? []) : args,
    env: config.env ?? {},
  };
}

/** `app` for `app.js`. */
const hasCompletion = (script: string, { ext }: NodemonConfig, cwd: string): boolean =>
  existsSync(resolve(cwd, `${script}.${ext?.match(/\w+/)?.[0] ?? 'js'}`));

function watchOf(config: NodemonConfig, { gitignore, graph }: ParsedLine['values']): WatchSettings {
  const { delayMs } = config;
  const quietMs = delayMs ?? usualQuietMs;
  return {
    roots: config.watch === false ? null : (config.watch ?? []),
    ignore: config.ignore ?? [],
    ext: config.ext ?? null,
    ignoreRoot: config.ignoreRoot ?? null,
    gitignore: gitignore !== false,
    isGraph: graph === true,
    style: 'nodemon',
    quietMs,
    mostMs: delayMs === undefined ? usualMostMs : Math.max(usualMostMs, delayMs * mostDelays),
    pollMs: config.legacyWatch === true ? (config.pollingInterval ?? usualPollMs) : null,
  };
}

function eventsOf({ events = {} }: NodemonConfig): Settings['events'] {
  return Object.fromEntries(Object.entries(events).filter(([name]) => eventNames.includes(name as EventName)));
}

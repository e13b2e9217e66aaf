/** Options as they were said → the fields of a spec, every default filled in. Pure: what names a user, a group or a file is looked up by the caller. */
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, LogSpec, Readiness, ShareSpec, SpecOptions, TerminalSpec, WatchSpec } from '../protocol/spec.ts';
import {
  parseAlive,
  parseDependencies,
  parseExits,
  parseHook,
  parseIoNice,
  parseLimit,
  parseLogFile,
  parseReady,
  parseSecret,
  parseStopSignals,
  parseVariable,
} from './grammar.ts';
import { parseInstances } from './instances.ts';
import { parseListens } from './listen.ts';
import { parseTerminalSize } from './terminal-size.ts';
import { parseSignal } from './values.ts';

/** The fields of a spec that come from options alone. */
export type Settled = Omit<
  AppSpec,
  | 'format'
  | 'name'
  | 'kind'
  | 'program'
  | 'cwd'
  | 'env'
  | 'user'
  | 'groups'
  | 'options'
  | 'origin'
  | 'inherited'
  | 'envFiles'
>;

const second = 1000;

/** Throws OPTION_INVALID for what is not in its grammar. */
export function settle(options: SpecOptions, { kind, inherited }: Pick<AppSpec, 'kind' | 'inherited'>): Settled {
  const retries = options.retries ?? 0;
  if (kind === 'job') refuseShared(options);
  const share = settleShare(options);
  const ready = options.ready === undefined ? null : parseReady(options.ready, '--ready');
  checkReady(ready, share);
  return {
    group: options.group ?? null,
    umask: options.umask ?? inherited.umask,
    limits: { ...inherited.limits, ...pairs(options.limit, (text) => parseLimit(text, '--limit')) },
    nice: options.nice ?? inherited.nice,
    oomScoreAdj: options.oomScoreAdj ?? inherited.oomScoreAdj,
    ioNice: options.ioNice === undefined ? null : parseIoNice(options.ioNice, '--io-nice'),
    noNewPrivs: options.noNewPrivs ?? false,
    maxMemory: options.maxMemory ?? null,
    cpuWeight: options.cpuWeight ?? null,
    cpuQuota: options.cpuQuota ?? null,
    maxTasks: options.maxTasks ?? null,
    restart: options.restart ?? (kind === 'app' ? 'always' : retries > 0 ? 'on-failure' : 'no'),
    stopExitCodes: parseExits(options.stopExitCodes ?? [], '--stop-exit-codes'),
    backoff: {
      minMs: options.backoffMinMs ?? 100,
      maxMs: Math.max(options.backoffMaxMs ?? 60 * second, options.backoffMinMs ?? 0),
      factor: options.backoffFactor ?? 2,
    },
    maxRestarts: options.maxRestarts ?? (retries > 0 ? retries : null),
    restartWindowMs: options.restartWindowMs ?? null,
    retryFailedAfterMs: options.retryFailedAfterMs ?? null,
    stableAfterMs: options.stableAfterMs ?? 10 * second,
    stopCommand: options.stopCommand ?? null,
    stopStdin: options.stopStdin ?? null,
    stopMessage: options.stopMessage ?? false,
    stopSignals: parseStopSignals(options.stopSignal ?? (options.tty ? 'HUP:2s,TERM' : 'TERM'), '--stop-signal'),
    stopTimeoutMs: options.stopTimeoutMs ?? 10 * second,
    ready,
    readyTimeoutMs: options.readyTimeoutMs ?? 30 * second,
    alive: options.alive === undefined ? null : parseAlive(options.alive, '--alive'),
    aliveIntervalMs: options.aliveIntervalMs ?? 10 * second,
    aliveTimeoutMs: options.aliveTimeoutMs ?? 5 * second,
    aliveFailures: options.aliveFailures ?? 3,
    dependsOn: parseDependencies(options.dependsOn ?? [], '--depends-on'),
    autostart: options.autostart ?? true,
    schedule:
      options.cron === undefined
        ? null
        : {
            pattern: options.cron,
            zone: options.timezone ?? null,
            overlap: options.overlap ?? 'skip',
            missed: options.missed ?? 'skip',
          },
    after: (options.after ?? []).flatMap((text) => text.split(',')),
    slots: options.slots ?? null,
    timeoutMs: options.timeoutMs ?? null,
    secrets: pairs(options.secret, (text) => parseSecret(text, '--secret')),
    hooks: pairs(options.on, (text) => parseHook(text, '--on')),
    keepTree: options.keepTree ?? false,
    leaveTimeoutMs: options.leaveTimeoutMs ?? 10 * second,
    log: settleLog(options),
    share,
    tty: settleTerminal(options),
    stdin: options.stdin ?? false,
    watch: settleWatch(options),
  };
}

/** What is said of watching means nothing without it. */
export function settleWatch(options: SpecOptions): WatchSpec | null {
  const { watch = [], graph = false } = options;
  if (watch.length === 0 && !graph) {
    const said = Object.entries(ofWatch).find(([property]) => options[property as keyof SpecOptions] !== undefined);
    if (said !== undefined) throw lacking(`${said[1]} is said of what is watched, and nothing is`, '--watch');
    return null;
  }
  if (options.watchSignal !== undefined && options.onBusy !== 'signal')
    throw lacking('--watch-signal is what a change sends', '--on-busy signal');
  return {
    // A bare --watch beside --graph says nothing more.
    paths: watch.flatMap((text) => text.split(',')).filter((path) => path !== '' && !(graph && path === '.')),
    ignore: options.ignore ?? [],
    ignoreWatch: options.ignoreWatch ?? [],
    graph,
    ext: extensionsOf(options.ext),
    gitignore: options.gitignore ?? true,
    quietMs: options.watchDelayMs ?? 300,
    before: options.before ?? null,
    onBusy: options.onBusy ?? 'restart',
    signal: parseSignal(options.watchSignal ?? 'HUP', '--watch-signal'),
  };
}

/** `ts,.json` or `*`. */
function extensionsOf(text: string | undefined): readonly string[] | null {
  if (text === undefined) return usualExtensions;
  const all = text.split(/[,\s]+/).flatMap((word) => word.replace(/^\*?\./, '') || []);
  return all.includes('*') ? null : all;
}

const usualExtensions = [
  'js',
  'mjs',
  'cjs',
  'json',
  'ts',
  'mts',
  'cts',
  'tsx',
  'jsx',
  'py',
  'rb',
  'yaml',
  'yml',
  'env',
];

export const ofWatch = {
  ignore: '--ignore',
  ignoreWatch: '--ignore-watch',
  ext: '--ext',
  watchDelayMs: '--watch-delay',
  gitignore: '--gitignore',
  before: '--before',
  onBusy: '--on-busy',
  watchSignal: '--watch-signal',
} as const satisfies { readonly [K in keyof SpecOptions]?: string };

/** A terminal is stdin, stdout and stderr: what says otherwise of one of them is refused. */
export function settleTerminal(options: SpecOptions): TerminalSpec | null {
  if (options.tty !== true) {
    const said = Object.entries(ofTerminal).find(([property]) => options[property as keyof SpecOptions] !== undefined);
    if (said !== undefined) throw lacking(`${said[1]} is said of a terminal, and it has none`, '--tty');
    return null;
  }
  const clash = Object.entries(notWithTerminal).find(
    ([property]) => options[property as keyof SpecOptions] !== undefined,
  );
  if (clash !== undefined)
    throw new SteadError(
      'OPTION_INVALID',
      `--tty and ${clash[1]} don't go together: a terminal is one program's stdin, stdout and stderr.`,
      {
        hint: 'leave out one of them',
      },
    );
  const { cols, rows } = parseTerminalSize(options.ttySize ?? '80x24', '--tty-size');
  return { cols, rows, resize: options.ttyResize ?? 'latest', scrollback: options.ttyScrollback ?? 1000 };
}

const ofTerminal = {
  ttySize: '--tty-size',
  ttyResize: '--tty-resize',
  ttyScrollback: '--tty-scrollback',
} as const satisfies { readonly [K in keyof SpecOptions]?: string };

const notWithTerminal = {
  stdin: '--stdin',
  stopStdin: '--stop-stdin',
  logErr: '--log-err',
  logVia: '--log-via',
  logForward: '--log-forward',
  instances: '--instances',
  listen: '--listen',
} as const satisfies { readonly [K in keyof SpecOptions]?: string };

/** How many instances there shall be, and what they share. The number of cores counts as it is when this is said. */
export function settleShare(options: SpecOptions): ShareSpec {
  const listen = parseListens(options.listen ?? [], '--listen');
  const onDemand = options.listenOnDemand ?? false;
  if (onDemand && listen.length === 0)
    throw lacking('--listen-on-demand starts it at the first connection, and no socket is named', '--listen 5000');
  if (options.idleTimeoutMs !== undefined && !onDemand)
    throw lacking('--idle-timeout stops what a connection starts again', '--listen-on-demand');
  return {
    instances: options.instances === undefined ? null : parseInstances(options.instances, '--instances'),
    listen,
    nonblock: options.nonblock ?? false,
    incrementVar: options.incrementVar === undefined ? null : parseVariable(options.incrementVar, '--increment-var'),
    drainTimeoutMs: options.drainTimeoutMs ?? 30 * second,
    drainSignal: parseSignal(options.drainSignal ?? 'URG', '--drain-signal'),
    onDemand,
    idleTimeoutMs: options.idleTimeoutMs ?? null,
  };
}

const lacking = (why: string, missing: string): SteadError =>
  new SteadError('OPTION_INVALID', `${why}.`, { hint: `add ${missing}` });

const ofShare = {
  instances: '--instances',
  listen: '--listen',
  nonblock: '--nonblock',
  incrementVar: '--increment-var',
  drainTimeoutMs: '--drain-timeout',
  drainSignal: '--drain-signal',
  listenOnDemand: '--listen-on-demand',
  idleTimeoutMs: '--idle-timeout',
} as const satisfies { readonly [K in keyof SpecOptions]?: string };

/** A job runs once, for itself. */
function refuseShared(options: SpecOptions): void {
  const said = Object.entries(ofShare).find(([property]) => options[property as keyof SpecOptions] !== undefined);
  if (said !== undefined)
    throw new SteadError('OPTION_INVALID', `${said[1]} is for apps, and this is a job, which runs once.`, {
      hint: 'stead start keeps it running',
    });
}

/** The sockets of `listen` are the fds from 3 on. */
function checkReady(ready: Readiness | null, { instances, listen }: ShareSpec): void {
  if (ready?.kind === 'listen' && instances === null && listen.length === 0)
    throw new SteadError('OPTION_INVALID', '--ready listen looks at what it shares, and this app shares nothing.', {
      hint: 'add --instances 1 or --listen PORT, or say --ready port:PORT',
    });
  if (ready?.kind === 'fd' && ready.fd < 3 + listen.length)
    throw new SteadError('OPTION_INVALID', `--ready fd:${ready.fd}: this fd is a socket of --listen.`, {
      hint: listen.length < 5 ? '--ready fd:7' : 'leave out a socket, or say --ready listen',
    });
}

export function settleLog(options: SpecOptions): LogSpec {
  if (options.logMerge === true && options.logErr !== undefined)
    throw new SteadError(
      'OPTION_INVALID',
      '--log-merge sends stderr where stdout goes, and --log-err says another place.',
      {
        hint: 'leave out one of them',
      },
    );
  return {
    out: options.logOut === undefined ? null : parseLogFile(options.logOut, '--log-out'),
    err: options.logErr === undefined ? null : parseLogFile(options.logErr, '--log-err'),
    merge: options.logMerge ?? false,
    via: options.logVia ?? null,
    forward: options.logForward ?? null,
    maxSize: options.logMaxSize === 0 ? null : (options.logMaxSize ?? 20 * 1024 * 1024),
    maxAgeMs: options.logMaxAgeMs ?? null,
    keep: options.logKeep ?? 5,
    total: options.logMaxTotal ?? null,
    compress: options.logCompress ?? true,
  };
}

const pairs = <T>(texts: readonly string[] | undefined, parse: (text: string) => [string, T]): Record<string, T> =>
  Object.fromEntries((texts ?? []).map(parse));

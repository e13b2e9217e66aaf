/** Options as they were said → the fields of a spec, every default filled in. Pure: what names a user, a group or a file is looked up by the caller. */
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, LogSpec, SpecOptions } from '../protocol/spec.ts';
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
} from './grammar.ts';

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
    stopSignals: parseStopSignals(options.stopSignal ?? 'TERM', '--stop-signal'),
    stopTimeoutMs: options.stopTimeoutMs ?? 10 * second,
    ready: options.ready === undefined ? null : parseReady(options.ready, '--ready'),
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
  };
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

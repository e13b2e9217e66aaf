/** The fields of an app in pm2's ecosystem file: https://pm2.keymetrics.io/docs/usage/application-declaration/ */
import { writtenSize } from '../../../config/file/stanza.ts';
import type { AppSpec } from '../../../protocol/spec.ts';
import { isNode, stopTotalMs } from '../../outgoing.ts';
import type { Outgoing } from '../../written.ts';

/** pm2 has no word for unlimited: its own default is 16. */
const unlimited = 1_000_000_000;
/** Less is refused. */
const leastUptimeMs = 100;

export type Fields = Readonly<Record<string, unknown>>;

export function pm2Fields(app: Outgoing): Fields {
  const { spec, env } = app;
  const { share, group, cwd, user } = spec;
  return {
    name: spec.name,
    ...(group !== null && { namespace: group }),
    ...programFields(app),
    cwd,
    ...(env.size > 0 && { env: Object.fromEntries(env) }),
    ...(share.instances !== null && { instances: share.instances, exec_mode: isCluster(app) ? 'cluster' : 'fork' }),
    ...(share.incrementVar !== null && { increment_var: share.incrementVar }),
    ...(user !== null && { uid: user.name, gid: user.gid }),
    ...restartFields(spec),
    ...stopFields(spec),
    ...readyFields(spec),
    ...logFields(spec),
    ...(spec.maxMemory !== null && { max_memory_restart: upToGigabytes(spec.maxMemory) }),
    ...(spec.schedule !== null && { cron_restart: spec.schedule.pattern }),
    ...watchFields(spec),
  };
}

/** Node's instances share ports in pm2's cluster mode, others don't. */
export const isCluster = (app: Outgoing): boolean =>
  app.spec.share.instances !== null && app.spec.program.how === 'script' && isNode(app);

/** A script with an interpreter, or what is executed itself. pm2 takes no interpreter for `node` to be its own Node. */
function programFields(app: Outgoing): Fields {
  const { argv, spec } = app;
  const { interpreter, words, how } = spec.program;
  if (how === 'script' && interpreter !== null) {
    const [script, ...args] = words;
    const isOwnNode = interpreter.name === 'node' && spec.options.interpreter === undefined;
    return {
      script,
      ...(args.length > 0 && { args }),
      interpreter: isOwnNode ? 'node' : interpreter.path,
      ...(interpreter.args.length > 0 && { node_args: interpreter.args }),
    };
  }
  const [script, ...args] = argv;
  return { script, ...(args.length > 0 && { args }), interpreter: 'none' };
}

function restartFields(spec: AppSpec): Fields {
  const { restart, maxRestarts, backoff, stableAfterMs, stopExitCodes } = spec;
  const codes = [...(restart === 'on-failure' ? [0] : []), ...stopExitCodes.filter((code) => typeof code === 'number')];
  // 0 would become the default.
  if (restart === 'no' || maxRestarts === 0) return { autorestart: false };
  return {
    max_restarts: maxRestarts ?? unlimited,
    min_uptime: Math.max(stableAfterMs, leastUptimeMs),
    ...(backoff.factor > 1 ? { exp_backoff_restart_delay: backoff.minMs } : { restart_delay: backoff.minMs }),
    ...(codes.length > 0 && { stop_exit_codes: [...new Set(codes)] }),
  };
}

const stopFields = (spec: AppSpec): Fields => ({
  kill_timeout: Math.max(1, stopTotalMs(spec)),
  ...(spec.stopMessage && { shutdown_with_message: true }),
  ...(spec.keepTree && { treekill: false }),
});

const readyFields = ({ ready, readyTimeoutMs }: AppSpec): Fields =>
  ready?.kind === 'ipc' ? { wait_ready: true, listen_timeout: readyTimeoutMs } : {};

function logFields({ log }: AppSpec): Fields {
  const err = log.merge ? log.out : log.err;
  return { ...(log.out !== null && { out_file: log.out }), ...(err !== null && { error_file: err }) };
}

function watchFields({ watch }: AppSpec): Fields {
  if (watch === null || watch.paths.length === 0) return {};
  const isAll = watch.paths.length === 1 && watch.paths[0] === '.';
  return {
    watch: isAll ? true : watch.paths,
    ...(watch.ignoreWatch.length > 0 && { ignore_watch: watch.ignoreWatch }),
    watch_delay: watch.quietMs,
  };
}

/** pm2 knows K, M and G. */
const upToGigabytes = (bytes: number): string => {
  const text = writtenSize(bytes);
  return text.endsWith('T') ? `${Number(text.slice(0, -1)) * 1024}G` : text;
};

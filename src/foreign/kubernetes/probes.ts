/** Checks as probes: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
import type { AppSpec, Check } from '../../protocol/spec.ts';
import { isOwn, portsOf, urlPort } from '../ports.ts';

type Fields = Record<string, unknown>;

/** While it starts it is looked at so often; as soon as it is ready that is told. */
const startPeriodS = 1;
const readyPeriodS = 5;

export function probesOf(spec: AppSpec): Fields {
  const { ready, readyTimeoutMs, alive, aliveIntervalMs, aliveTimeoutMs, aliveFailures } = spec;
  const readyLook = ready === null ? null : lookOfReady(spec);
  const aliveLook = alive === null || alive.kind === 'watchdog' ? null : look(alive);
  const startLook = readyLook ?? aliveLook;
  return {
    ...(startLook !== null && {
      startupProbe: {
        ...startLook,
        periodSeconds: startPeriodS,
        failureThreshold: Math.max(1, Math.ceil(readyTimeoutMs / 1000 / startPeriodS)),
      },
    }),
    ...(readyLook !== null && { readinessProbe: { ...readyLook, periodSeconds: readyPeriodS } }),
    ...(aliveLook !== null && {
      livenessProbe: {
        ...aliveLook,
        periodSeconds: seconds(aliveIntervalMs),
        timeoutSeconds: seconds(aliveTimeoutMs),
        failureThreshold: aliveFailures,
      },
    }),
  };
}

function lookOfReady(spec: AppSpec): Fields | null {
  const { ready } = spec;
  if (ready?.kind === 'port' || ready?.kind === 'http' || ready?.kind === 'exec') return look(ready);
  const tcp = portsOf(spec).find(({ protocol }) => protocol === 'TCP');
  return ready?.kind === 'listen' && tcp !== undefined ? { tcpSocket: { port: tcp.port } } : null;
}

function look(check: Check): Fields {
  if (check.kind === 'exec') return { exec: { command: ['sh', '-c', check.command] } };
  if (check.kind === 'port')
    return { tcpSocket: { port: check.port, ...(isOwn(check.host) ? {} : { host: check.host }) } };
  const url = new URL(check.url);
  const httpGet = {
    path: `${url.pathname}${url.search}`,
    port: urlPort(url),
    ...(url.protocol === 'https:' && { scheme: 'HTTPS' }),
    ...(isOwn(url.hostname) ? {} : { host: url.hostname }),
  };
  return { httpGet };
}

/** Whole seconds are all there is. */
export const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

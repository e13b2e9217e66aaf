/** Where an app listens, and how it is looked at: Nomad's own service registration, whose checks are `http` and `tcp`. */
import type { AppSpec, Check, Liveness, Readiness } from '../../protocol/spec.ts';
import { labelOf } from '../labels.ts';
import { isOwn, portsOf, urlPort } from '../ports.ts';
import { nanoseconds } from './times.ts';

type Fields = Record<string, unknown>;

/** Of the task group. Ports are the machine's own. */
export function networks(spec: AppSpec): Fields[] {
  const ports = portsOf(spec);
  if (ports.length === 0) return [];
  return [{ Mode: 'host', ReservedPorts: ports.map(({ name, port }) => ({ Label: portLabel(name), Value: port })) }];
}

/** Letters, digits and _. */
const portLabel = (name: string): string => name.replaceAll('-', '_');

export function services(spec: AppSpec): Fields[] {
  const [first] = portsOf(spec);
  if (first === undefined) return [];
  const checks = [spec.ready, spec.alive].flatMap((look) => check(spec, look) ?? []);
  return [
    {
      Name: labelOf(spec.name),
      Provider: 'nomad',
      PortLabel: portLabel(first.name),
      ...(checks.length > 0 && { Checks: checks }),
    },
  ];
}

const usualIntervalMs = 10_000;
const usualTimeoutMs = 5000;

/** Null: Nomad itself can't look in this way. */
function check(spec: AppSpec, look: Readiness | Liveness | null): Fields | null {
  if (look === null || !isLook(look)) return null;
  const isAlive = look === spec.alive;
  return {
    ...(look.kind === 'port' ? { Name: isAlive ? 'alive' : 'ready', Type: 'tcp' } : httpFields(look, isAlive)),
    ...portOf(spec, look),
    Interval: nanoseconds(isAlive ? spec.aliveIntervalMs : usualIntervalMs),
    Timeout: nanoseconds(isAlive ? spec.aliveTimeoutMs : usualTimeoutMs),
    ...(isAlive && { CheckRestart: { Limit: spec.aliveFailures, Grace: nanoseconds(spec.readyTimeoutMs) } }),
  };
}

type Look = Extract<Check, { readonly kind: 'port' | 'http' }>;

export const isLook = (look: Readiness | Liveness): look is Look =>
  (look.kind === 'port' && isOwn(look.host)) || (look.kind === 'http' && isOwn(new URL(look.url).hostname));

function httpFields({ url }: Extract<Look, { readonly kind: 'http' }>, isAlive: boolean): Fields {
  const { pathname, search, protocol } = new URL(url);
  return {
    Name: isAlive ? 'alive' : 'ready',
    Type: 'http',
    Path: `${pathname}${search}`,
    ...(protocol === 'https:' && { Protocol: 'https' }),
  };
}

/** Where it is not the service's own. */
function portOf(spec: AppSpec, look: Look): Fields {
  const port = look.kind === 'port' ? look.port : urlPort(new URL(look.url));
  const found = portsOf(spec).find((one) => one.port === port);
  return found === undefined ? {} : { PortLabel: portLabel(found.name) };
}

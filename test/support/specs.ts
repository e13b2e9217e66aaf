/** Specs without a daemon. */
import { settle } from '../../src/config/settle.ts';
import { type OutgoingOptions, outgoing } from '../../src/foreign/outgoing.ts';
import type { Outgoing } from '../../src/foreign/written.ts';
import { type AppSpec, type Program, type SpecOptions, specFormat } from '../../src/protocol/spec.ts';

const inherited = { umask: 0o022, limits: {}, nice: 0, oomScoreAdj: 0 };

export interface SpecParts {
  readonly kind?: 'app' | 'job';
  readonly program?: Program;
  readonly cwd?: string;
  /** Beside what the options say. */
  readonly env?: readonly string[];
  readonly user?: AppSpec['user'];
}

/** `node /srv/NAME/server.js` in `/srv/NAME`, unless something else is said. */
export function specOf(name: string, options: SpecOptions = {}, parts: SpecParts = {}): AppSpec {
  const { kind = 'app', cwd = `/srv/${name}`, env = [], user = null } = parts;
  const node = { name: 'node', path: '/usr/bin/node', args: options.interpreterArgs ?? [] };
  return {
    format: specFormat,
    name,
    kind,
    program: parts.program ?? { how: 'script', words: [`${cwd}/server.js`], interpreter: node },
    cwd,
    env: [...env, ...(options.env ?? [])],
    user,
    groups: options.groups?.map(Number) ?? null,
    options,
    origin: null,
    inherited,
    envFiles: options.envFile ?? [],
    ...settle(options, { kind, inherited }),
  };
}

export const commandOf = (...words: string[]): Program => ({ how: 'command', words, interpreter: null });

/** As `stead export` makes it: commands lie in /usr/bin. */
export function outgoingOf(spec: AppSpec, options: Partial<OutgoingOptions> = {}): Outgoing {
  const first = spec.program.interpreter?.path ?? spec.program.words[0] ?? '';
  const executable = first.startsWith('/') ? first : `/usr/bin/${first}`;
  return outgoing(spec, { executable, idle: null, withEnv: false, withSecrets: false, ...options });
}

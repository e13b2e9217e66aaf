/** What an app is known to listen on: its `listen`, else the port of its check, else PORT. */
import type { AppSpec, Check, Readiness } from '../protocol/spec.ts';

export interface Port {
  /** 15 characters at most, with a letter. */
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

export function portsOf(spec: AppSpec): readonly Port[] {
  const listen = spec.share.listen.flatMap((one): Port[] =>
    one.kind === 'unix'
      ? []
      : [
          {
            name: portName(one.name ?? `${one.kind}-${one.port}`),
            port: one.port,
            protocol: one.kind === 'udp' ? 'UDP' : 'TCP',
          },
        ],
  );
  if (listen.length > 0) return unique(listen);
  const port = checkPort(spec.ready) ?? checkPort(spec.alive) ?? variablePort(spec);
  return port === null ? [] : [{ name: isHttp(spec) ? 'http' : `tcp-${port}`, port, protocol: 'TCP' }];
}

/** Of a check that looks at this machine. */
function checkPort(check: Readiness | AppSpec['alive']): number | null {
  if (check?.kind === 'port') return isOwn(check.host) ? check.port : null;
  if (check?.kind !== 'http') return null;
  const url = new URL(check.url);
  return isOwn(url.hostname) ? urlPort(url) : null;
}

export const urlPort = (url: URL): number =>
  url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);

export const isOwn = (host: string): boolean =>
  ['localhost', '127.0.0.1', '::1', '[::1]', '0.0.0.0', '::', '[::]'].includes(host);

const isHttp = ({ ready, alive }: AppSpec): boolean =>
  [ready, alive].some((check: Check | { readonly kind: string } | null) => check?.kind === 'http');

/** The PORT that was said, not one that a shell happened to have. */
function variablePort({ options }: AppSpec): number | null {
  const said = options.env?.findLast((entry) => entry.startsWith('PORT='))?.slice('PORT='.length);
  const port = Number(said);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

const portName = (name: string): string => {
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 15)
    .replace(/^-+|-+$/g, '');
  return /[a-z]/.test(word) ? word : `port-${word}`.slice(0, 15).replace(/-$/, '');
};

function unique(ports: readonly Port[]): Port[] {
  const seen = new Set<string>();
  return ports
    .filter(({ port, protocol }) => {
      const key = `${protocol}:${port}`;
      return !seen.has(key) && seen.add(key);
    })
    .map((port, at, all) =>
      all.findIndex(({ name }) => name === port.name) < at
        ? { ...port, name: `p-${port.port}-${port.protocol.toLowerCase()}` }
        : port,
    );
}

/** `{ port: 8080, host: 127.0.0.1, name: http }` in a config file → `http=127.0.0.1:8080`, as a flag has it. */
import { SteadError } from '../../protocol/errors.ts';
import { nearest } from '../nearest.ts';
import { quote } from '../values.ts';
import { scalar } from './scalar.ts';

const known = ['port', 'host', 'path', 'name', 'udp'];

/** One entry of `listen`: a text, a port, or a map. */
export function listenText(value: unknown, shown: string): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return scalar(value, shown);
  const entry = value as Readonly<Record<string, unknown>>;
  checkKeys(entry, shown);
  const name = entry.name === undefined ? '' : `${scalar(entry.name, shown)}=`;
  return name + (entry.path === undefined ? address(entry, shown) : `unix:${scalar(entry.path, shown)}`);
}

function address({ port, host, udp = false }: Readonly<Record<string, unknown>>, shown: string): string {
  const words = host === undefined || host === null ? '' : scalar(host, shown);
  const before = words === '' ? '' : `${words.includes(':') ? `[${words.replace(/^\[(.*)\]$/, '$1')}]` : words}:`;
  return `${udp ? 'udp:' : ''}${before}${scalar(port, shown)}`;
}

function checkKeys(entry: Readonly<Record<string, unknown>>, shown: string): void {
  const strange = Object.keys(entry).find((key) => !known.includes(key));
  if (strange !== undefined) {
    const near = nearest(strange, known);
    throw invalid(`${shown}: there is no ${quote(strange)}${near === undefined ? '' : `; did you mean "${near}"?`}`);
  }
  if ((entry.port === undefined) === (entry.path === undefined))
    throw invalid(`${shown}: an entry has either "port" or "path": { port: 8080, host: 127.0.0.1 }`);
  if (entry.path !== undefined && (entry.host !== undefined || entry.udp !== undefined))
    throw invalid(`${shown}: "host" and "udp" are for ports`);
  if (entry.udp !== undefined && typeof entry.udp !== 'boolean') throw invalid(`${shown}: "udp" is true or false`);
}

const invalid = (message: string): SteadError => new SteadError('OPTION_INVALID', message);

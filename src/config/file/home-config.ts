/**
 * `<home>/config.yaml`: what concerns a whole home.
 *
 *   logs: { max_total: 4G }      all logs of the home together; 0: no cap
 */
import { parse } from 'yaml';
import { SteadError } from '../../protocol/errors.ts';
import { parseSize, quote } from '../values.ts';

export interface HomeConfig {
  /** Bytes; null is no cap, undefined the default. */
  readonly logsMaxTotal?: number | null;
}

/** Throws CONFIG_INVALID with the first mistake. `file` is for messages. */
export function readHomeConfig(text: string, file: string): HomeConfig {
  try {
    const value: unknown = parse(text, { maxAliasCount: 100 });
    if (value === null || value === undefined) return {};
    const { logs, ...rest } = fields(value, 'it');
    const { max_total: most, ...others } = fields(logs ?? {}, '"logs"');
    const [unknown] = [...Object.keys(rest), ...Object.keys(others).map((key) => `logs.${key}`)];
    if (unknown !== undefined) throw new Error(`there is no ${quote(unknown)}; there is logs.max_total`);
    if (most === undefined) return {};
    const bytes = parseSize(String(most), '"logs.max_total"');
    return { logsMaxTotal: bytes === 0 ? null : bytes };
  } catch (error) {
    throw new SteadError('CONFIG_INVALID', `${quote(file)} has a mistake: ${(error as Error).message}`, {
      hint: 'logs: { max_total: 4G }',
    });
  }
}

function fields(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} must be a map`);
}

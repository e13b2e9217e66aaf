/** The fields of a JSON payload, each checked as it is read: what has another shape is a ProtocolError. */
import type { SessionExit, Size } from '../protocol/terminal.ts';
import { ProtocolError } from './frames.ts';

export type { SessionExit, Size };

export type Fields = Readonly<Record<string, unknown>>;

/** What is longer than this is no terminal, and would cost the emulator a gigabyte. */
const maxSide = 2000;
const maxTextLength = 4096;

export function fieldsOf(payload: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new ProtocolError('a payload is not JSON');
  }
  return isFields(value) ? value : wrong('payload', value);
}

export const parseSize = (fields: Fields): Size => ({ cols: side(fields, 'cols'), rows: side(fields, 'rows') });

export const parseExit = (fields: Fields): SessionExit => ({
  code: optional(fields, 'code', count),
  signal: optional(fields, 'signal', text),
  reason: optional(fields, 'reason', text),
});

/** A field that is an object itself. */
export function nested(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : wrong(name, value);
}

export function count(fields: Fields, name: string): number {
  const value = fields[name];
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : wrong(name, value);
}

function side(fields: Fields, name: string): number {
  const value = count(fields, name);
  return value >= 1 && value <= maxSide ? value : wrong(name, value);
}

export function text(fields: Fields, name: string): string {
  const value = longText(fields, name);
  return value.length <= maxTextLength ? value : wrong(name, value);
}

/** As long as the frame. */
export function longText(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : wrong(name, value);
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  return typeof value === 'boolean' ? value : wrong(name, value);
}

export function optional<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T): T | null {
  return fields[name] === undefined || fields[name] === null ? null : read(fields, name);
}

export function wrong(name: string, value: unknown): never {
  throw new ProtocolError(`"${name}" can't be ${String(JSON.stringify(value)).slice(0, 100)}`);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

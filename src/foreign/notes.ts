/** Notes that several writers have. */
import { optionsTable } from '../config/options.ts';
import type { Outgoing } from './written.ts';

/** What of the environment is left out: each must be set by hand. */
export function secretNotes({ spec, withheld }: Outgoing): string[] {
  const secrets = Object.entries(spec.secrets).map(([name, file]) => `${name} (from ${file})`);
  return [
    ...(withheld.length === 0
      ? []
      : [`Left out, as their values look secret: ${withheld.join(', ')}. --with-secrets writes them.`]),
    ...(secrets.length === 0 ? [] : [`Secrets are not written: ${secrets.join(', ')}.`]),
  ];
}

/** Notes of one app where there is no place for comments. */
export const withName = (name: string, notes: readonly string[]): string[] => notes.map((note) => `${name}: ${note}`);

/** The key in a config file of a property of `SpecOptions`. */
export const keyOf = (property: string): string =>
  optionsTable.find((option) => option.property === property)?.key ?? property;

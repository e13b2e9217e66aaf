/** What is said differently of an app, in the words of a config file. */
import { stanzaOf } from '../../config/file/stanza.ts';
import { type Option, optionsTable } from '../../config/options.ts';
import type { Change } from '../../protocol/api.ts';
import type { AppSpec } from '../../protocol/spec.ts';

/** Of variables their names: values may be secrets. */
const hidden: readonly string[] = ['env', 'secret'];
const longest = 200;

export function changesOf(before: AppSpec, after: AppSpec, differing: readonly string[]): readonly Change[] {
  const [old, fresh] = [stanzaOf(before), stanzaOf(after)];
  return differing.flatMap((property) => {
    const option = optionsTable.find((one) => one.property === property);
    const keys = property === 'program' ? ['script', 'command', 'args'] : [option?.key ?? property];
    return keys.flatMap((key) => changeOf(key, old[key], fresh[key]) ?? otherwise(option, key));
  });
}

function changeOf(key: string, before: unknown, after: unknown): Change | null {
  if (JSON.stringify(before) === JSON.stringify(after)) return null;
  if (!hidden.includes(key)) return { key, before: written(before), after: written(after) };
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].filter((name) => old[name] !== fresh[name]);
  return { key, before: null, after: names.join(', ') };
}

/** It differs in what is no option: the content of a file. */
const otherwise = (option: Option | undefined, key: string): Change[] =>
  option === undefined && key === 'env_file' ? [{ key, before: null, after: 'its content' }] : [];

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function written(value: unknown): string | null {
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

import type { SpecOptions } from '../protocol/spec.ts';
import type { AppOptions } from './types.ts';

/** What of a call's options is the app's, as requests have it. Without what is not said. */
export function appOptions(options: AppOptions & Readonly<Record<string, unknown>>): SpecOptions {
  const { env, signal: _, wait: __, args: ___, ...others } = options;
  const said = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  return env === undefined ? said : { ...said, env: entriesOf(env) };
}

const entriesOf = (env: NonNullable<AppOptions['env']>): readonly string[] =>
  Array.isArray(env) ? env : Object.entries(env).map(([name, value]) => `${name}=${value}`);

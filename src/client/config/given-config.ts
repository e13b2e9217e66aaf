import { type Source, valueSource } from '../../config/file/document.ts';
import { readSource } from '../../config/file/read-config.ts';
import { chosen, type LoadedConfig, projectOf } from './load-config.ts';

export interface GivenOptions {
  /** What is relative is so to this. */
  readonly directory: string;
  /** By it the apps are known as its own: an absolute path. */
  readonly file: string;
  readonly profile: string | null;
  /** Names; all if it is empty. */
  readonly only: readonly string[];
}

/** A config that is no file, but a value. Throws CONFIG_INVALID and APP_NOT_FOUND. */
export function givenConfig(value: unknown, { directory, file, profile, only }: GivenOptions): LoadedConfig {
  const source: Source = valueSource(value);
  const apps = chosen(readSource(source, 'the config', { profile }), only, 'the config');
  return { file, directory, project: projectOf(value, file), apps, notes: [] };
}

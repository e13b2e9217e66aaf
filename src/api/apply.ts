import { resolve } from 'node:path';
import { givenConfig } from '../client/config/given-config.ts';
import { type LoadedConfig, loadConfig } from '../client/config/load-config.ts';
import type { ApplyRequest, Caller } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import type { ApplyOptions, Config } from './types.ts';

/** Reads files, or takes a value for one. Throws CONFIG_NOT_FOUND, CONFIG_INVALID. */
export function configOf(
  config: string | readonly string[] | Config,
  { cwd = process.cwd(), file, profile, only = [] }: ApplyOptions,
  signal: AbortSignal,
): LoadedConfig | Promise<LoadedConfig> {
  const common = { profile: profile ?? null, only };
  if (typeof config === 'string' || isList(config))
    return loadConfig(typeof config === 'string' ? [config] : config, { ...common, cwd, env: process.env, signal });
  // By something that stays the same from one time to the next.
  const known = file ?? process.argv[1] ?? 'stead.config';
  return givenConfig(config, { ...common, directory: resolve(cwd), file: resolve(cwd, known) });
}

/** The request for it. Throws USAGE. */
export function applyRequest(config: LoadedConfig, options: ApplyOptions, caller: Caller): ApplyRequest {
  const { prune = false, dryRun = false, only = [], wait = true } = options;
  if (prune && only.length > 0)
    throw new SteadError('USAGE', '"prune" removes what the config does not name, and "only" names a part of it', {
      hint: 'one of them',
    });
  const { file, project, apps, directory } = config;
  return {
    file,
    project,
    apps,
    isPruned: prune,
    isDryRun: dryRun,
    isPartial: only.length > 0,
    // What is relative in a config is so to it.
    caller: { ...caller, cwd: directory },
    wait,
  };
}

const isList = (config: unknown): config is readonly string[] => Array.isArray(config);

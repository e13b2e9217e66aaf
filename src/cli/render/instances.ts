/** Instances, and what a reload makes of them, in words. */
import type { AppView, InstanceView } from '../../protocol/api.ts';

/** Those that an app consists of: without candidates, and without those that retire. */
export const mainOf = (instances: readonly InstanceView[]): readonly InstanceView[] =>
  instances.filter(({ role }) => role === undefined);

/** `pid 12`, `pids 12 13`; null where nothing runs. */
export function pidsInWords({ instances }: Pick<AppView, 'instances'>): string | null {
  const pids = mainOf(instances).flatMap(({ pid }) => pid ?? []);
  return pids.length === 0 ? null : pids.length === 1 ? `pid ${pids[0]}` : `pids ${pids.join(' ')}`;
}

/** `2 instances`. */
export const countInWords = (count: number): string => `${count} ${count === 1 ? 'instance' : 'instances'}`;

/** What a run is that isn't the main one of its index: ` (new)`, ` (draining)`; else nothing. */
export const roleInWords = ({ role }: InstanceView): string =>
  role === undefined ? '' : role === 'candidate' ? ' (new)' : ' (draining)';

/** `reloading, 1 of 4`; null where no reload goes on. `name` is safe to print. */
export function reloadInWords(
  { reload, instances }: Pick<AppView, 'reload' | 'instances'>,
  name: string,
): string | null {
  if (!reload) return null;
  const { phase, done, of } = reload;
  switch (phase) {
    case 'rolling':
      return `reloading, ${done} of ${of}`;
    case 'paused': {
      const fresh = instances.filter(({ role, ready }) => role === 'candidate' && ready).length;
      if (fresh === 0) return `reloading, ${done} of ${of}`;
      return `reload waits with ${fresh} new beside ${of}: stead reload ${name} --continue, or --abort`;
    }
    default:
      return `reload aborted, ${done} of ${of} were replaced`;
  }
}

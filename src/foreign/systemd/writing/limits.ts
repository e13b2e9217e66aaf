/** Limits and priorities: systemd.exec(5), systemd.resource-control(5). */

import { parseLimit } from '../../../config/grammar.ts';
import type { AppSpec } from '../../../protocol/spec.ts';
import { sizeInBytes } from './escape.ts';

const ioClasses = ['realtime', 'best-effort', 'idle'];
/** systemd's own. */
export const usualUmask = 0o022;

export function limitLines(spec: AppSpec): string[] {
  const { maxMemory, cpuWeight, cpuQuota, maxTasks, nice, ioNice, options, umask, noNewPrivs } = spec;
  return [
    ...(maxMemory === null ? [] : [`MemoryMax=${sizeInBytes(maxMemory)}`]),
    ...(cpuWeight === null ? [] : [`CPUWeight=${cpuWeight}`]),
    ...(cpuQuota === null ? [] : [`CPUQuota=${cpuQuota}%`]),
    ...(maxTasks === null ? [] : [`TasksMax=${maxTasks}`]),
    ...(options.limit ?? []).map(rlimitLine),
    ...(nice === 0 ? [] : [`Nice=${nice}`]),
    ...(ioNice === null ? [] : [`IOSchedulingClass=${ioClasses[ioNice.class - 1]}`]),
    ...(ioNice === null || ioNice.class === 3 ? [] : [`IOSchedulingPriority=${ioNice.level}`]),
    ...(options.oomScoreAdj === undefined ? [] : [`OOMScoreAdjust=${options.oomScoreAdj}`]),
    ...(umask === usualUmask ? [] : [`UMask=0${umask.toString(8).padStart(3, '0')}`]),
    ...(noNewPrivs ? ['NoNewPrivileges=yes'] : []),
  ];
}

/** `nofile=1024:4096` → `LimitNOFILE=1024:4096`; units are those of prlimit(1). */
function rlimitLine(text: string): string {
  const [name, [soft, hard]] = parseLimit(text, '--limit');
  const word = (value: number | null) => (value === null ? 'infinity' : String(value));
  return `Limit${name.toUpperCase()}=${soft === hard ? word(soft) : `${word(soft)}:${word(hard)}`}`;
}

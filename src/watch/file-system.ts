/** Where inotify tells of changes and where it doesn't: on what another machine or a program serves, a change made over there is told to nobody here. */
import { readFileSync, statfsSync } from 'node:fs';

/** By the magic numbers of statfs(2), from linux/magic.h and the file systems' own sources. virtiofs has that of FUSE. */
const polled: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [0x7c7c6673, 'prl_fs'],
]);
/** proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, bpf, devpts: their files change without being written. */
const pseudo: ReadonlySet<number> = new Set([
  ...[0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11, 0x1cd1],
]);

export type FileSystem = { readonly kind: 'told' | 'pseudo' } | { readonly kind: 'polled'; readonly name: string };

/** Of a path. Overlays count as told: what is changed through them is, only a change made in a layer below is not. */
export function fileSystemOf(path: string): FileSystem {
  let type: number;
  try {
    type = statfsSync(path).type >>> 0;
  } catch {
    return { kind: 'told' };
  }
  const name = polled.get(type);
  if (name !== undefined) return { kind: 'polled', name };
  return { kind: pseudo.has(type) ? 'pseudo' : 'told' };
}

const limits = {
  ENOSPC: [
    ['fs.inotify.max_user_watches', 524_288],
    ['user.max_inotify_watches', 524_288],
  ],
  EMFILE: [
    ['fs.inotify.max_user_instances', 1024],
    ['user.max_inotify_instances', 1024],
  ],
} as const;

/** The limit that keeps inotify from another watch, and the command that raises it. */
export function limitBehind(code: 'ENOSPC' | 'EMFILE'): { readonly text: string; readonly remedy: string } {
  // In a user namespace the second may be the lower one.
  const [first, second] = limits[code].map(([name, enough]) => ({ name, enough, value: readLimit(name) }));
  const { name, enough, value } = second!.value < first!.value ? second! : first!;
  const raised = Math.max(enough, Number.isFinite(value) ? value * 2 : 0);
  return { text: Number.isFinite(value) ? `${name} is ${value}` : name, remedy: `sudo sysctl ${name}=${raised}` };
}

function readLimit(name: string): number {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

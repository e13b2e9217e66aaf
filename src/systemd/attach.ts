/**
 * Takes processes that run elsewhere (a login's session, another unit) into a unit: the method AttachProcessesToUnit of org.freedesktop.systemd1(5), version
 * 238 and newer. A user's own manager asks that of the machine's where the kernel refuses it; both sides must be the caller's own.
 */
import { execFile } from 'node:child_process';
import type { UnitFacts } from './manager-link.ts';

const timeoutMs = 10_000;

/** `below` is a cgroup in the unit's own, `/a/b`. Rejects with what systemd said. */
export function attachToUnit({ name, scope }: UnitFacts, below: string, pids: readonly number[]): Promise<void> {
  const manager = 'org.freedesktop.systemd1';
  const words = [
    `--${scope}`,
    'call',
    manager,
    `/${manager.replaceAll('.', '/')}`,
    `${manager}.Manager`,
    'AttachProcessesToUnit',
    'ssau',
    name,
    below,
    String(pids.length),
    ...pids.map(String),
  ];
  return new Promise((resolve, reject) => {
    execFile('busctl', words, { timeout: timeoutMs }, (error, _, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message));
      else resolve();
    });
  });
}

/** Settings of systemd.exec(5) and systemd.resource-control(5) that say how much a program may have. */
import { writtenSize } from '../../../config/file/stanza.ts';
import type { Draft } from '../../draft.ts';
import { lastOf, type Unit } from './unit.ts';
import { sizeBytes, timeMs } from './words.ts';

const names =
  'CPU FSIZE DATA STACK CORE RSS NOFILE AS NPROC MEMLOCK LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(' ');
const ofBytes = ['FSIZE', 'DATA', 'STACK', 'CORE', 'RSS', 'AS', 'MEMLOCK', 'MSGQUEUE'];

export const limitKeys: readonly string[] = [
  ...names.map((name) => `Limit${name}`),
  ...'MemoryMax MemoryLimit CPUQuota CPUWeight TasksMax Nice IOSchedulingClass IOSchedulingPriority OOMScoreAdjust NoNewPrivileges'.split(
    ' ',
  ),
];

export function putLimits(draft: Draft, unit: Unit): void {
  const value = (key: string) => lastOf(unit, 'Service', key);
  putUlimits(draft, value);
  putMemory(draft, value('MemoryMax') ?? value('MemoryLimit'));
  const quota = value('CPUQuota');
  if (quota !== undefined) draft.put('cpu', Math.round(Number.parseFloat(quota)), `CPUQuota=${quota}`);
  const weight = value('CPUWeight');
  if (weight !== undefined) draft.put('cpu_weight', weight === 'idle' ? 1 : Number(weight), `CPUWeight=${weight}`);
  const tasks = value('TasksMax');
  if (tasks?.endsWith('%')) draft.note(`TasksMax=${tasks}: max_tasks takes a number.`);
  else if (tasks !== undefined && tasks !== 'infinity') draft.put('max_tasks', Number(tasks), `TasksMax=${tasks}`);
  putNumber(draft, 'nice', 'Nice', value);
  putNumber(draft, 'oom_score_adj', 'OOMScoreAdjust', value);
  putIo(draft, value);
  if (isYes(value('NoNewPrivileges'))) draft.put('no_new_privs', true);
}

export const isYes = (text: string | undefined): boolean =>
  text !== undefined && ['yes', 'true', 'on', '1', 'y', 't'].includes(text.toLowerCase());

type Value = (key: string) => string | undefined;

function putNumber(draft: Draft, key: string, theirs: string, value: Value): void {
  const text = value(theirs);
  if (text !== undefined) draft.put(key, Number(text), `${theirs}=${text}`);
}

function putUlimits(draft: Draft, value: Value): void {
  const limits: Record<string, string> = {};
  for (const name of names) {
    const text = value(`Limit${name}`);
    if (text === undefined) continue;
    const parts = text.split(':').map((part) => limitOf(name, part));
    if (parts.length <= 2 && parts.every((part) => part !== null)) limits[name.toLowerCase()] = parts.join(':');
    else draft.note(`Limit${name}=${text}: left out, as it is no limit.`);
  }
  if (Object.keys(limits).length > 0) draft.put('limit', limits, `Limit${Object.keys(limits).join(', ')}`);
}

function limitOf(name: string, text: string): string | null {
  if (text === 'infinity') return 'unlimited';
  if (/^\d+$/.test(text)) return text;
  if (name === 'NICE' && /^\+\d+$|^-\d+$/.test(text)) return String(20 - Number(text));
  if (ofBytes.includes(name)) return sizeBytes(text)?.toString() ?? null;
  const ms = name === 'CPU' || name === 'RTTIME' ? timeMs(text) : null;
  return ms === null ? null : String(Math.round(name === 'CPU' ? ms / 1000 : ms * 1000));
}

function putMemory(draft: Draft, text: string | undefined): void {
  if (text === undefined || text === 'infinity') return;
  const bytes = sizeBytes(text);
  if (bytes === null) draft.note(`MemoryMax=${text}: left out; max_memory takes a size: 200M.`);
  else draft.put('max_memory', writtenSize(bytes), `MemoryMax=${text}`);
}

const classes = ['none', 'realtime', 'best-effort', 'idle'];

function putIo(draft: Draft, value: Value): void {
  const said = value('IOSchedulingClass');
  const level = value('IOSchedulingPriority');
  if (said === undefined && level === undefined) return;
  const name = said === undefined ? 'best-effort' : (classes[Number(said)] ?? said);
  if (name !== 'none')
    draft.put(
      'io_nice',
      name === 'idle' || level === undefined ? name : `${name}:${level}`,
      `IOSchedulingClass=${said}`,
    );
}

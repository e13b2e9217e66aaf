/** How many there are, and whether they share what they listen on. */
import { type AppReading, isOn, type Part, text } from './reading.ts';

/** What pm2 makes of `exec_mode` and `instances`. */
export interface Mode {
  readonly isCluster: boolean;
  /** As a stanza has it; null: one, which shares nothing. */
  readonly instances: number | string | null;
}

export function readInstances(
  { values }: AppReading,
  { isNode }: { readonly isNode: boolean },
): Part & { readonly mode: Mode } {
  const said = text(values, 'exec_mode');
  const fork: Mode = { isCluster: false, instances: null };
  if (said !== undefined && !/^(cluster|fork)(_mode)?$/.test(said))
    return { mode: fork, mistakes: [`"exec_mode" is cluster or fork, in small letters, not "${said}"`] };
  const notes: string[] = [];
  const count = countOf(values.instances, notes);
  const wantsCluster = said === undefined ? values.instances !== undefined : said.startsWith('cluster');
  const isCluster = wantsCluster && isNode && !isOn(values, 'execute_command');
  if (said?.startsWith('cluster') && !isNode)
    notes.push('exec_mode: cluster is for Node programs; others share what "listen" names (docs/instances.md).');
  const instances = isCluster ? (count ?? 1) : count === 1 ? null : count;
  const isMany = instances !== null && instances !== 1;
  const isForked = !isCluster && isMany && isNode;
  if (isForked)
    notes.push(
      'exec_mode fork with several instances: a port that one of them has bound the others share, where pm2 lets them fail.',
    );
  if (typeof instances === 'string')
    notes.push(`instances: ${instances} goes by the cores that this process may use, and pm2 by all of the machine.`);
  const variable = instanceVariable(values.instance_var, values.increment_var, notes);
  return {
    mode: { isCluster, instances },
    stanza: {
      ...(instances !== null && { instances }),
      // Programs look there whether they are the first, also where they are alone.
      ...(instances === null && isNode && variable === null && { env: { NODE_APP_INSTANCE: '0' } }),
      ...(variable !== null && { increment_var: variable.name }),
      ...variable?.more,
    },
    notes,
  };
}

/** Null: not said. */
function countOf(value: unknown, notes: string[]): number | string | null {
  if (value === undefined) return null;
  const asked =
    typeof value === 'number' ? Math.trunc(value) : value === 'max' ? 0 : Number.parseInt(String(value), 10);
  if (Number.isNaN(asked)) {
    notes.push(`instances: "${String(value)}" is no number, which pm2 takes for as many as there are cores.`);
    return 'max';
  }
  return asked === 0 ? 'max' : asked < 0 ? String(asked) : asked;
}

function instanceVariable(
  instance: unknown,
  increment: unknown,
  notes: string[],
): { readonly name: string; readonly more?: { readonly env: Readonly<Record<string, string>> } } | null {
  const wanted = instance === undefined || instance === 'NODE_APP_INSTANCE' ? null : String(instance);
  if (increment !== undefined) {
    if (wanted !== null)
      notes.push(`instance_var: beside increment_var it has no effect; STEAD_INSTANCE holds the index.`);
    return { name: String(increment) };
  }
  // It counts from 0, as any variable that is higher by one in each.
  return wanted === null ? null : { name: wanted, more: { env: { [wanted]: '0' } } };
}

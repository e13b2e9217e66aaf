/** One app of a request, as a config file has it. */
import { type Resolved, resolveCommand, resolveTarget } from '../../programs/resolve.ts';
import type { Caller, ConfigApp } from '../../protocol/api.ts';
import { checkedOptions } from '../make-spec.ts';

/** What it executes, for who asks. Throws what can't be looked up, and options that are wrong. */
export function resolveApp({ script, command, args, options: said }: ConfigApp, caller: Caller): Promise<Resolved> {
  const options = checkedOptions(said);
  return script === null
    ? resolveCommand({ command: [...command, ...args], options, caller })
    : resolveTarget({ target: script, rest: args, options, caller });
}

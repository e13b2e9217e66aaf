/** One app of a request, as a config file has it. */
import { type Resolved, resolveCommand, resolveTarget } from '../../programs/resolve.ts';
import type { Caller, ConfigApp } from '../../protocol/api.ts';
import { checkedOptions } from '../make-spec.ts';

/** Its options are looked at when it is looked up. */
export function isConfigApp(app: unknown): app is ConfigApp {
  if (typeof app !== 'object' || app === null) return false;
  const { kind, script, command, args } = app as ConfigApp;
  return (
    (kind === 'app' || kind === 'job') &&
    (script === null || typeof script === 'string') &&
    isTexts(command) &&
    isTexts(args) &&
    (script !== null || command.length > 0)
  );
}

const isTexts = (list: unknown): list is readonly string[] =>
  Array.isArray(list) && list.every((item) => typeof item === 'string' && !item.includes('\0'));

/** What it executes, for who asks. Throws what can't be looked up, and options that are wrong. */
export function resolveApp({ script, command, args, options: said }: ConfigApp, caller: Caller): Promise<Resolved> {
  const options = checkedOptions(said);
  return script === null
    ? resolveCommand({ command: [...command, ...args], options, caller })
    : resolveTarget({ target: script, rest: args, options, caller });
}

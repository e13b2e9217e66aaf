/**
 * What process-compose puts into its file: variables of the environment, before it is YAML, and templates in some of its values;
 * https://f1bonacc1.github.io/process-compose/configuration/.
 */

import { own } from '../own.ts';

export interface Expanded {
  readonly text: string;
  /** Names that were put in, and those that are empty as nothing sets them. */
  readonly used: readonly string[];
  readonly missing: readonly string[];
}

/** `$NAME` and `${NAME}`, by the rules of Go's os.Expand; `$$` is a dollar sign. */
export function expandVariables(text: string, env: Readonly<Record<string, string | undefined>>): Expanded {
  const used = new Set<string>();
  const missing = new Set<string>();
  const expanded = text.replace(
    /\$(?:\$|\{([^{}\n]*)\}|([A-Za-z_]\w*)|([*#@!?\-0-9]))/g,
    (all, braced, plain, special) => {
      if (all === '$$') return '$';
      const name: string = braced ?? plain ?? special;
      const value = own(env, name);
      (value === undefined ? missing : used).add(name);
      return value ?? '';
    },
  );
  return { text: expanded, used: [...used], missing: [...missing] };
}

export type Vars = Readonly<Record<string, unknown>>;

/** `{{.NAME}}` and `{{ "as it is" }}`; what more a template says stays, and is told. */
export function render(text: string, vars: Vars, unknown: (template: string) => void): string {
  const template = /\{\{-?\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|(.*?))\s*-?\}\}/gs;
  return text.replace(template, (all, quoted, raw, inside) => {
    if (quoted !== undefined) return quoted.replace(/\\(.)/gs, '$1');
    if (raw !== undefined) return raw;
    const name = /^\.(\w+)$/.exec(inside)?.[1];
    if (name !== undefined && Object.hasOwn(vars, name)) return String(vars[name]);
    unknown(all);
    return all;
  });
}

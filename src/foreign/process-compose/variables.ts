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
  let out = '';
  let from = 0;
  // Found by hand: a pattern that looks for the end from each {{ would take for ever where there is none.
  for (let at = text.indexOf('{{'); at >= 0; at = text.indexOf('{{', from)) {
    const end = endOf(text, at + 2);
    if (end < 0) break;
    const template = text.slice(at, end);
    out += text.slice(from, at) + valueOfTemplate(template, vars, unknown);
    from = end;
  }
  return out + text.slice(from);
}

/** Behind the }} that closes what began; those within quotes don't. Negative: there is none. */
function endOf(text: string, from: number): number {
  const start = from + text.slice(from, from + 20).search(/[^\s-]|$/);
  const quote = text[start];
  let at = start;
  if (quote === '"' || quote === '`') {
    for (at += 1; at < text.length && text[at] !== quote; at++) if (quote === '"' && text[at] === '\\') at += 1;
    // No quote that closes: it is no literal.
    if (at >= text.length) at = start;
  }
  const close = text.indexOf('}}', at);
  return close < 0 ? close : close + 2;
}

function valueOfTemplate(template: string, vars: Vars, unknown: (template: string) => void): string {
  const inside = template.slice(2, -2).replace(/^-/, '').replace(/-$/, '').trim();
  const quote = inside[0];
  if (inside.length > 1 && quote === inside.at(-1) && (quote === '"' || quote === '`')) {
    const literal = inside.slice(1, -1);
    return quote === '`' ? literal : literal.replace(/\\(.)/gs, '$1');
  }
  const name = /^\.(\w+)$/.exec(inside)?.[1];
  if (name !== undefined && Object.hasOwn(vars, name)) return String(vars[name]);
  unknown(template.slice(0, 80));
  return template;
}

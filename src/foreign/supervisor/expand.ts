/** `%(ENV_HOME)s`, `%(process_num)02d`, `%%`: Python's string formatting as far as supervisord's values may use it. */

export type Expansions = Readonly<Record<string, string | number>>;

/** Throws an Error that says what can't be expanded. */
export function expand(text: string, values: Expansions): string {
  let out = '';
  let from = 0;
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
    out += text.slice(from, at);
    const [value, end] = text[at + 1] === '%' ? ['%', at + 2] : oneExpansion(text, at, values);
    out += value;
    from = end;
  }
  return out + text.slice(from);
}

/** What stands at a `%(`, and where it ends. */
function oneExpansion(text: string, at: number, values: Expansions): [value: string, end: number] {
  const close = text[at + 1] === '(' ? text.indexOf(')', at) : -1;
  const format = /([-+ 0#]*)(\d{0,3})(?:\.(\d{1,3}))?([a-zA-Z])/y;
  format.lastIndex = close + 1;
  const [found, flags, width, precision, kind] = (close < 0 ? null : format.exec(text)) ?? [];
  if (found === undefined)
    throw new Error(`${JSON.stringify(text.slice(at, at + 2))} is no %(name)s; a percent sign itself is written %%`);
  const name = text.slice(at + 2, close);
  if (!Object.hasOwn(values, name)) throw new Error(missing(name, values));
  const end = close + 1 + found.length;
  const all = text.slice(at, end);
  return [formatted(values[name]!, { flags: flags!, width: Number(width), precision, kind: kind!, all }), end];
}

function missing(name: string, values: Expansions): string {
  if (name.startsWith('ENV_'))
    return `the environment has no ${name.slice(4)}: ${name.slice(4)}=… stead import supervisor …`;
  const known = Object.keys(values).filter((key) => !key.startsWith('ENV_'));
  return `there is no %(${name})s; there are ${known.join(', ')} and ENV_…`;
}

interface Format {
  readonly flags: string;
  readonly width: number;
  readonly precision: string | undefined;
  readonly kind: string;
  readonly all: string;
}

function formatted(value: string | number, { flags, width, precision, kind, all }: Format): string {
  if (kind === 's' || kind === 'r') {
    const text = precision === undefined ? String(value) : String(value).slice(0, Number(precision));
    return flags.includes('-') ? text.padEnd(width) : text.padStart(width);
  }
  if (!'diuxXo'.includes(kind)) throw new Error(`${JSON.stringify(all)} is a format that is not known`);
  if (typeof value !== 'number')
    throw new Error(`${JSON.stringify(all)} wants a number, and it is ${JSON.stringify(value)}`);
  const digits = value
    .toString(kind === 'o' ? 8 : kind.toLowerCase() === 'x' ? 16 : 10)
    .padStart(Number(precision ?? 0), '0');
  const text = (flags.includes('+') ? '+' : '') + (kind === 'X' ? digits.toUpperCase() : digits);
  if (flags.includes('-')) return text.padEnd(width);
  return text.padStart(width, flags.includes('0') ? '0' : ' ');
}

/**
 * `A="1",B=x`: as supervisord takes an environment apart, by Python's shlex, not in its POSIX mode: a quote within a word is a letter, and one that begins a word ends
 * it, too. supervisord passes over whatever stands where a comma should; here that is a mistake. Throws an Error.
 */
export function readEnvironment(text: string): Readonly<Record<string, string>> {
  const tokens = [...text.matchAll(/[\w/.+\-():][\w/.+\-():"']*|"[^"]*"|'[^']*'|#.*|\S/g)]
    .map(([token]) => token)
    .filter((token) => !token.startsWith('#'));
  const env: Record<string, string> = {};
  for (let at = 0; at < tokens.length; at += 4) {
    const [name, equals, value, comma] = tokens.slice(at, at + 4);
    const isOpen = [name, value].some((token) => token === '"' || token === "'");
    if (value === undefined || isOpen || equals !== '=' || (comma !== undefined && comma !== ','))
      throw new Error(
        `it goes on with ${JSON.stringify(tokens.slice(at, at + 4).join(' '))}; write NAME="value",OTHER="value"`,
      );
    env[name!] = value.replace(/^['"]+|['"]+$/g, '');
  }
  return env;
}

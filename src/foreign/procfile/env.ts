/** `.env` as foreman reads it (its env.rb): NAME=value, in quotes or without; nothing is expanded, and ` # …` behind a value is part of it. */
const line = /^([A-Za-z0-9_]+)=(.*)$/s;

export interface ForemanEnv {
  readonly values: Readonly<Record<string, string>>;
  /** Lines that are neither a variable nor a comment, from 1. */
  readonly passedOver: readonly number[];
}

export function readForemanEnv(text: string): ForemanEnv {
  const values: Record<string, string> = {};
  const passedOver: number[] = [];
  for (const [at, each] of text.replaceAll('\r\n', '\n').split('\n').entries()) {
    const [, name, value] = line.exec(each) ?? [];
    if (name !== undefined) values[name] = unquoted(value!);
    else if (/^\s*[^\s#]/.test(each)) passedOver.push(at + 1);
  }
  return { values, passedOver };
}

function unquoted(value: string): string {
  if (value.length > 1 && /^'.*'$/s.test(value)) return value.slice(1, -1);
  if (value.length > 1 && /^".*"$/s.test(value))
    return value.slice(1, -1).replaceAll('\\n', '\n').replace(/\\(.)/gs, '$1');
  return value;
}

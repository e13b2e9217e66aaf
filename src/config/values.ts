/** Values of options: text as a person writes it → what the control API takes. Each throws OPTION_INVALID with an example that passes. */
import { constants } from 'node:os';
import { SteadError } from '../protocol/errors.ts';
import type { Grammar } from './grammar.ts';
import type { OptionType } from './options.ts';

export type Value = string | number | boolean | readonly string[] | readonly number[];

/** What is needed to read a value: a row of the options table, or a flag of one command. */
export interface ValueRule {
  readonly type: OptionType;
  readonly choices?: readonly string[];
  readonly grammar?: Grammar;
  readonly min?: number;
  readonly max?: number;
  /** Of a list: what it is if it is named without a value (`--watch`); a value must be attached then (`--watch=src`). */
  readonly bare?: string;
}

/** One value of a flag. `shown` is how the person wrote the flag: `--nice`. Lists come back as a list of one or more. */
export function parseValue(rule: ValueRule, text: string, shown: string): Value {
  switch (rule.type) {
    case 'text':
      rule.grammar?.(text, shown);
      return nonEmpty(text, shown);
    case 'texts':
      rule.grammar?.(text, shown);
      return [text];
    case 'integer':
      return within(
        rule,
        integer(text, 10, () => wrongInteger(rule, text, shown)),
        () => wrongInteger(rule, text, shown),
      );
    case 'number': {
      const wrong = () => invalid(`${shown} takes a number from ${rule.min} to ${rule.max}, not ${quote(text)}`);
      if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw wrong();
      return within(rule, Number(text), wrong);
    }
    case 'octal': {
      const wrong = () => invalid(`${shown} takes an octal number such as 027, not ${quote(text)}`);
      return within(rule, integer(text.replace(/^0o/, ''), 8, wrong), wrong);
    }
    case 'duration':
      return atLeast(rule, parseDuration(text, shown), text, shown);
    case 'size':
      return atLeast(rule, parseSize(text, shown), text, shown);
    case 'boolean':
      return parseBoolean(text, shown);
    case 'choice':
      if (rule.choices?.includes(text)) return text;
      throw invalid(`${shown} takes one of ${rule.choices?.join(', ')}, not ${quote(text)}`);
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `10s`, `1m30s`, `2h`, `1d`, `0` → milliseconds. A bare number is refused: tools differ in what it means. */
export function parseDuration(text: string, shown: string): number {
  if (text === '0') return 0;
  if (/^\d+$/.test(text)) {
    throw invalid(
      `${shown} needs a unit: ${quote(text)} could be ${text}ms or ${text}s`,
      `write ${shown} ${text}${Number(text) < 1000 ? 's' : 'ms'}`,
    );
  }
  if (text.length > 60 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    throw invalid(`${shown} takes a time such as 500ms, 10s, 5m or 1h30m, not ${quote(text)}`);
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) sum += Number(number) * unitsMs[unit!]!;
  if (!(sum <= Number.MAX_SAFE_INTEGER)) throw invalid(`${shown}: ${quote(text)} is too long a time`);
  return Math.round(sum);
}

/** `200M`, `1.5G`, `512K`, `1000` → bytes, K being 1024. */
export function parseSize(text: string, shown: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)([kmgt]?)(?:i?b)?$/i.exec(text);
  if (!match) throw invalid(`${shown} takes a size such as 512K, 200M or 1.5G, not ${quote(text)}`);
  const power = ['', 'k', 'm', 'g', 't'].indexOf(match[2]!.toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** Real-time signals have no names of their own; glibc and musl keep 32 and 33 (and 34) to themselves, kill(1) counts from 34. */
const firstRealTime = 34;
const lastRealTime = 64;

/** `TERM`, `sigterm`, `15` → `SIGTERM`; `36` → `SIGRTMIN+2`. */
export function parseSignal(text: string, shown: string): string {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (Object.hasOwn(constants.signals, name)) return name;
  const byNumber = Object.entries(constants.signals).find(([, number]) => String(number) === text);
  if (byNumber) return byNumber[0];
  const realTime = /^SIGRTMIN(?:\+(\d{1,2}))?$/.exec(name);
  const offset = realTime ? Number(realTime[1] ?? 0) : /^\d{2}$/.test(text) ? Number(text) - firstRealTime : -1;
  if (offset >= 0 && offset <= lastRealTime - firstRealTime) return offset === 0 ? 'SIGRTMIN' : `SIGRTMIN+${offset}`;
  throw invalid(`${shown} takes a signal such as TERM, SIGINT or 15, not ${quote(text)}`);
}

/** A value of a person, quoted for a message; long ones are cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

function parseBoolean(text: string, shown: string): boolean {
  if (['true', 'yes', 'on', '1'].includes(text)) return true;
  if (['false', 'no', 'off', '0'].includes(text)) return false;
  throw invalid(`${shown} is on or off, not ${quote(text)}`);
}

function nonEmpty(text: string, shown: string): string {
  if (text === '') throw invalid(`${shown} needs a value, not an empty one`);
  return text;
}

function integer(text: string, radix: 8 | 10, wrong: () => Error): number {
  if (!(radix === 8 ? /^[0-7]{1,12}$/ : /^-?\d{1,15}$/).test(text)) throw wrong();
  return Number.parseInt(text, radix);
}

function within(rule: ValueRule, value: number, wrong: () => Error): number {
  if (value < (rule.min ?? -Infinity) || value > (rule.max ?? Infinity)) throw wrong();
  return value;
}

function atLeast({ min = 0, max }: ValueRule, value: number, text: string, shown: string): number {
  if (value < min) throw invalid(`${shown}: ${quote(text)} is too little`);
  if (max !== undefined && value > max) throw invalid(`${shown}: ${quote(text)} is too much`);
  return value;
}

function wrongInteger({ min, max }: ValueRule, text: string, shown: string): SteadError {
  const range =
    min !== undefined && max !== undefined && max < 1e9 ? ` from ${min} to ${max}` : min === 0 ? ', 0 or more' : '';
  return invalid(`${shown} takes a whole number${range}, not ${quote(text)}`);
}

function invalid(message: string, hint?: string): SteadError {
  return new SteadError('OPTION_INVALID', message, hint === undefined ? {} : { hint });
}

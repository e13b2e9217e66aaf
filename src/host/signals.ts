import { constants } from 'node:os';

const numbers: Readonly<Record<string, number>> = constants.signals;
/** First name wins, so that SIGABRT is not called SIGIOT, nor SIGIO SIGPOLL. */
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(numbers)
    .filter(([name]) => !['SIGIOT', 'SIGPOLL', 'SIGUNUSED'].includes(name))
    .map(([name, number]) => [number, name] as const),
);

/** `SIGKILL` for 9; `SIGRTMIN+1` for 35; `signal 99` for what has no name. */
export function signalName(number: number): string {
  const name = names.get(number);
  if (name !== undefined) return name;
  if (number >= 34 && number <= 64) return number === 34 ? 'SIGRTMIN' : `SIGRTMIN+${number - 34}`;
  return `signal ${number}`;
}

/** The number for `SIGHUP`, `hup`, `1`, `RTMIN+3`; null if there is none. */
export function signalNumber(text: string): number | null {
  if (/^\d{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= 64 ? Number(text) : null;
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  const real = /^SIGRTMIN(?:\+(\d{1,2}))?$/.exec(name);
  if (real) return 34 + Number(real[1] ?? 0) <= 64 ? 34 + Number(real[1] ?? 0) : null;
  return Object.hasOwn(numbers, name) ? numbers[name]! : null;
}

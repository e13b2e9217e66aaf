import type { Exit, Model, Ms } from './state.ts';

/** `exit code 3`, `killed by SIGKILL`, `exit code 130 or killed by SIGINT (shells can't tell)`. */
export function exitInWords(exit: Pick<Exit, 'code' | 'signal' | 'ambiguous'>): string {
  if (exit.ambiguous) return `exit code ${exit.code} or killed by ${exit.signal} (a shell can't tell)`;
  if (exit.signal !== null) return `killed by ${exit.signal}`;
  if (exit.code !== null) return `exit code ${exit.code}`;
  return 'ended; its exit code is unknown';
}

/** `450 ms`, `4 s`, `3 min`, `2 h`, `5 d`. */
export function durationInWords(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  const [size, unit] = units.find(([size]) => ms >= size)!;
  return `${Math.floor(ms / size)} ${unit}`;
}

/** Exactly, for what somebody set: `500 ms`, `1.5 s`, `5 min`. */
export function settingInWords(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms >= 60_000 && ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

/** Bytes: `512K`, `45.2M`, `1.5G`; K is 1024. */
export function sizeInWords(bytes: number): string {
  const unit = ['', 'K', 'M', 'G', 'T'].findLastIndex((_, power) => bytes >= 1024 ** power);
  return `${Math.round((bytes / 1024 ** Math.max(0, unit)) * 10) / 10}${['', 'K', 'M', 'G', 'T'][Math.max(0, unit)]}`;
}

/** Why an instance is in its state, in words; null where the state says it all. */
export function reasonInWords({ state }: Model, now: Ms): string | null {
  switch (state.name) {
    case 'running':
      return null;
    case 'starting':
      return state.deadline === null
        ? null
        : `not ready yet; has failed in ${durationInWords(Math.max(0, state.deadline - now))}`;
    case 'failed':
      return state.until === null
        ? state.reason
        : `${state.reason}; tried again in ${durationInWords(Math.max(0, state.until - now))}`;
    case 'waiting':
      return state.for === 'time' ? lastRunInWords(state.reason) : state.reason;
    case 'backoff':
      return `${state.reason}; restarts in ${durationInWords(Math.max(0, state.until - now))}`;
    case 'stopping':
      return stoppingInWords(state, now);
    case 'stuck':
      return `can't be ended: ${state.pids.length === 1 ? 'process' : 'processes'} ${state.pids.join(', ')} still alive after SIGKILL`;
    default:
      return state.reason;
  }
}

const lastRunInWords = (reason: string): string | null =>
  reason === '' || reason === 'exit code 0' ? null : `last run: ${reason}`;

function stoppingInWords(state: Extract<Model['state'], { name: 'stopping' }>, now: Ms): string {
  const left = durationInWords(Math.max(0, state.deadline - now));
  if (state.phase === 'killing') return 'did not end in time; SIGKILL sent';
  const cause = state.cause === null ? '' : `${state.cause.reason}; `;
  const ended = state.exit === null ? cause : `${cause}${exitInWords(state.exit)}; `;
  if (state.goal === 'retire' && state.drains && state.step === 0 && state.exit === null)
    return `ends what it is answering; ${left} left to do so`;
  if (state.phase === 'leaving') return `${ended}what it left running is ended in ${left}`;
  return state.exit === null ? `${cause}asked to end; ${left} left to do so` : `${ended}ending what it left running`;
}

/** Patterns of cron, as the daemon reads them (croner). */
import { Cron } from 'croner';

/** Whether it is one that ever comes. */
export function isPattern(cron: string, timezone?: string): boolean {
  try {
    const zone = timezone === undefined || timezone === 'Local' ? {} : { timezone };
    return cron.length <= 200 && new Cron(cron, { paused: true, ...zone }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** Every so often → cron, where the time goes into the next larger one without a rest; it is then counted by the clock. */
export function cronEvery(ms: number): string | null {
  const [seconds, minutes, hours] = [ms / 1000, ms / 60_000, ms / 3_600_000];
  const isPart = (count: number, whole: number) => Number.isInteger(count) && count >= 1 && whole % count === 0;
  if (hours === 24) return '0 0 * * *';
  if (hours === 24 * 7) return '0 0 * * 1';
  if (isPart(hours, 24)) return hours === 1 ? '0 * * * *' : `0 */${hours} * * *`;
  if (isPart(minutes, 60)) return minutes === 1 ? '* * * * *' : `*/${minutes} * * * *`;
  return isPart(seconds, 60) ? (seconds === 1 ? '* * * * * *' : `*/${seconds} * * * * *`) : null;
}

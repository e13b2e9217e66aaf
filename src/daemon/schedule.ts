/**
 * Times of schedules, by the wall clock and a time zone; croner parses. One timer for all apps that have one, armed for the earliest time but never for
 * longer than a minute: so a clock that is set, or a machine that slept, is noticed.
 */
import { Cron } from 'croner';
import { wallMs } from '../host/clock.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, Schedule } from '../protocol/spec.ts';
import type { Instance } from './instance.ts';

const longestWaitMs = 60_000;
/** What was missed for no longer than this is run late, whatever the policy: the daemon was away for a moment. */
const lateMs = 60_000;
/** A clock that was set back further than this makes the last time meaningless. */
const backwardsMs = 65 * 60_000;

/** Throws OPTION_INVALID for a pattern or a zone that is none. */
export function checkSchedule({ schedule }: Pick<AppSpec, 'schedule'>): void {
  if (schedule === null) return;
  let next: number | null;
  try {
    next = nextTime(schedule, wallMs());
  } catch (error) {
    throw new SteadError(
      'OPTION_INVALID',
      `--cron: ${JSON.stringify(schedule.pattern)}: ${(error as Error).message}.`,
      {
        hint: "minute hour day month weekday, e.g. --cron '0 3 * * *'; six fields begin with seconds",
      },
    );
  }
  if (next === null) throw new SteadError('OPTION_INVALID', `--cron: ${JSON.stringify(schedule.pattern)} never comes.`);
}

/** The first time after `from`, milliseconds since the epoch; null if there is none. */
export function nextTime({ pattern, zone }: Schedule, from: number): number | null {
  if (pattern.length > 200) throw new Error('it is too long');
  const cron = new Cron(pattern, { paused: true, ...(zone !== null && { timezone: zone }) });
  return cron.nextRun(new Date(from))?.getTime() ?? null;
}

/** Feeds `tick` to instances whose time has come. */
export class Scheduler {
  readonly #next = new Map<Instance, number>();
  #timer: NodeJS.Timeout | null = null;

  /** When its time comes next, milliseconds since the epoch; null without a schedule. */
  nextOf(instance: Instance): number | null {
    return this.#next.get(instance) ?? null;
  }

  /** From now on; also after its schedule was changed. `since`: the last time that was acted on or, before the first, when it was made. */
  add(instance: Instance, since: number): void {
    this.remove(instance);
    const { schedule } = instance.app.spec;
    if (schedule === null) return;
    const now = wallMs();
    const from = since > now + backwardsMs ? now : since;
    const due = nextTime(schedule, from);
    if (due === null) return;
    const isRunLate =
      due > now || now - due <= lateMs || (schedule.missed === 'run' && instance.app.spec.kind === 'job');
    const next = isRunLate ? due : nextTime(schedule, now);
    if (next !== null) this.#next.set(instance, next);
    this.#arm();
  }

  remove(instance: Instance): void {
    if (this.#next.delete(instance) && this.#next.size === 0 && this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#next.size === 0) return;
    const wait = Math.min(...this.#next.values()) - wallMs();
    this.#timer = setTimeout(() => this.#look(), Math.min(longestWaitMs, Math.max(0, wait)));
  }

  #look(): void {
    const now = wallMs();
    for (const [instance, at] of [...this.#next]) {
      const { schedule } = instance.app.spec;
      if (schedule === null) {
        this.remove(instance);
        continue;
      }
      const next = nextTime(schedule, now);
      const isSetBack = next !== null && next < at - backwardsMs;
      if (at > now && !isSetBack) continue;
      if (next === null) this.#next.delete(instance);
      else this.#next.set(instance, next);
      if (at > now) continue;
      // Several that were missed while the machine slept count as one, the latest.
      const last = latestUntil(schedule, at, now);
      if (now - last <= lateMs || schedule.missed === 'run') instance.dispatch({ type: 'tick', at: last });
    }
    this.#arm();
  }
}

/** The last time up to now: each of a second-wise schedule is not walked through. */
function latestUntil(schedule: Schedule, at: number, now: number): number {
  let last = at;
  for (let steps = 0; steps < 1000; steps++) {
    const next = nextTime(schedule, last);
    if (next === null || next > now) break;
    last = next;
  }
  return last;
}

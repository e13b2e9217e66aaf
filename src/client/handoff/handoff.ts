/**
 * `handoff`: an app becomes systemd's, with units that are its own, and no two copies at a time. Its held sockets are bound by systemd beside ours, all that comes
 * is led there, ours answer what they have begun and end, and only then systemd's begin (docs/decisions/019-handoff.md). What fails leaves the app with stead.
 */
import { escapeControls } from '../../host/bytes.ts';
import type { ActionResult, AppView, HandoffRequest, HandoffResponse } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { systemctlOrThrow } from '../../systemd/manager.ts';
import { act } from '../act.ts';
import { whoAsks } from '../caller.ts';
import { refuseForeign, writeFiles } from './files.ts';
import { closeGate, type Gate } from './gate.ts';
import type { Plan } from './plan.ts';
import { closeSockets, reload, socketOwners, startedUnits, startUnits, stopUnits, untilUp, verify } from './units.ts';

export interface HandedOver {
  readonly app: AppView;
  readonly main: string;
}

/** Does it for one app. Throws what kept it from that, the app being stead's as before. */
export async function handOver(home: string, plan: Plan): Promise<HandedOver> {
  refuseForeign(plan);
  const { keeper, name } = plan;
  const way = new Way(home, plan, writeFiles(plan));
  try {
    const gate = keeper.sockets.length > 0 && keeper.isWanted ? way.closeGate() : null;
    reload(keeper.scope);
    const said = verify(plan);
    if (said !== '') throw refused(name, said);
    if (gate !== null) await way.lead();
    const { app } = await way.give();
    gate?.open();
    if (keeper.isWanted) {
      if (gate === null) startUnits(keeper, { isAwaited: true });
      await untilUp(keeper, plan.spec.readyTimeoutMs);
      enable(plan);
    }
    if (gate !== null) {
      gate.forget();
      reload(keeper.scope);
    }
    return { app, main: keeper.main };
  } catch (error) {
    throw await way.back(error);
  }
}

const refused = (name: string, said: string): SteadError =>
  new SteadError('HANDOFF_FAILED', `systemd does not take the units of "${name}": ${escapeControls(said)}`, {
    hint: `stead export systemd ${name} shows them`,
  });

/** What was started by hand starts at boot, too, if it did with stead. */
function enable({ spec, keeper }: Plan): void {
  if (!spec.autostart) return;
  systemctlOrThrow(keeper.scope, ['enable', ...startedUnits(keeper)], `${keeper.main} can't be enabled`);
}

/** How far it has come, for who has to go back. */
class Way {
  readonly #home: string;
  readonly #plan: Plan;
  readonly #putBack: () => void;
  #gate: Gate | null = null;
  #isLed = false;
  #isGiven = false;

  constructor(home: string, plan: Plan, putBack: () => void) {
    this.#home = home;
    this.#plan = plan;
    this.#putBack = putBack;
  }

  closeGate(): Gate {
    this.#gate = closeGate(this.#plan.keeper);
    return this.#gate;
  }

  /** All that connects from now on waits for systemd's. */
  async lead(): Promise<void> {
    await this.#ask('prepare');
    this.#isLed = true;
    const { scope, sockets } = this.#plan.keeper;
    systemctlOrThrow(scope, ['start', ...sockets], `${sockets[0]} can't listen`);
    startUnits(this.#plan.keeper, { isAwaited: false });
    await this.#ask('steer');
  }

  async give(): Promise<HandoffResponse> {
    this.#isGiven = true;
    return this.#ask('give');
  }

  #ask(step: HandoffRequest['step']): Promise<HandoffResponse> {
    const { name, keeper } = this.#plan;
    const body: HandoffRequest = {
      app: name,
      step,
      caller: whoAsks(),
      ...(step === 'give' && { keeper, ...(this.#gate && { gate: this.#gate.file }) }),
    };
    return act(this.#home, 'handoff', { body });
  }

  /** Undoes it, and says so. */
  async back(error: unknown): Promise<unknown> {
    const { name, keeper } = this.#plan;
    const notes: string[] = [];
    const tryTo = async (action: () => unknown) => {
      try {
        await action();
      } catch (failure) {
        notes.push((failure as Error).message);
      }
    };
    if (this.#isLed && !this.#isGiven) await tryTo(() => this.#ask('unsteer'));
    const pids = this.#isGiven ? socketOwners(keeper) : [];
    if (this.#isGiven) await tryTo(() => comeBack(this.#home, { app: name, step: 'take', pids, keys: keeper.keys }));
    // Without the drop-ins: nothing is bound beside what was taken.
    await tryTo(() => {
      this.#gate?.forget();
      reload(keeper.scope);
      closeSockets(keeper);
    });
    await tryTo(() => stopUnits(keeper));
    this.#gate?.open();
    await tryTo(() => {
      this.#putBack();
      reload(keeper.scope);
    });
    if (this.#isGiven) await tryTo(() => comeBack(this.#home, { app: name, step: 'start' }));
    if (!(error instanceof SteadError)) return error;
    const outcome =
      notes.length === 0 ? `stead keeps "${name}" as before.` : `Going back failed as well: ${notes.join('; ')}`;
    return new SteadError(error.code, `${error.message} ${outcome}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

interface Coming {
  readonly app: string;
  readonly step: 'take' | 'start';
  readonly pids?: readonly number[];
  readonly keys?: readonly string[];
  readonly isWanted?: boolean;
}

export async function comeBack(
  home: string,
  coming: Coming,
): Promise<{ readonly keys: readonly string[]; readonly result: ActionResult }> {
  return act(home, 'takeback', { body: { ...coming, caller: whoAsks() } });
}

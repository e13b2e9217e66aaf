/** resurrect: the apps of a dump. Twice is as once. */
import { remembering } from '../../programs/remembered.ts';
import type { AppliedApp, ApplyResponse, Caller, DumpedApp, ResurrectRequest } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import type { App } from '../app.ts';
import { resolveApp } from '../apply/config-app.ts';
import type { Daemon } from '../context.ts';
import { checkedOptions, makeSpec } from '../make-spec.ts';
import { appViews } from '../view.ts';
import { checkedCaller } from './body.ts';
import { askedBy } from './select.ts';
import { addApp, lookAtAll } from './start.ts';

interface Brought {
  readonly name: string;
  readonly app: App | null;
  readonly isNew: boolean;
  /** It is there because of this. */
  readonly isStarted: boolean;
  readonly error: AppliedApp['error'];
}

export async function resurrect(daemon: Daemon, body: ResurrectRequest, signal: AbortSignal): Promise<ApplyResponse> {
  const caller = checkedCaller(body.caller);
  const by = askedBy(body);
  const notes: string[] = [];
  const brought: Brought[] = [];
  await remembering(async () => {
    for (const one of body.apps) brought.push(await bring(daemon, one, { caller, by, notes }));
  });
  for (const { app } of brought) if (app !== null) startIfWanted(app);
  const ended = await Promise.all(
    brought.map(({ app, isStarted, error }) =>
      app === null || !isStarted ? error : firstMoments(app, body.wait !== false, signal),
    ),
  );
  const views = new Map(
    appViews(
      daemon,
      brought.flatMap(({ app }) => app ?? []),
    ).map((view) => [view.name, view]),
  );
  return {
    apps: brought.map(({ name, isNew }, at) => ({
      name,
      change: isNew ? 'new' : 'same',
      differing: [],
      changes: [],
      app: views.get(name) ?? null,
      error: ended[at]!,
    })),
    notes,
  };
}

interface Asked {
  readonly caller: Caller;
  readonly by: string;
  readonly notes: string[];
}

async function bring(daemon: Daemon, dumped: DumpedApp, { caller, by, notes }: Asked): Promise<Brought> {
  const { name, app: said, file, isWanted } = dumped;
  const present = daemon.apps.get(name);
  try {
    if (present !== undefined) {
      const isStarted = isWanted && present.want === 'stopped';
      if (isStarted) present.setWant('running', by);
      return { name, app: present, isNew: false, isStarted, error: null };
    }
    const { cwd, umask, nice, oomScoreAdj, limits, env } = dumped;
    const theirs = checkedCaller({ ...caller, cwd, umask, nice, oomScoreAdj, limits, env: env ?? caller.env });
    const options = checkedOptions(said.options);
    const resolved = { ...(await resolveApp({ ...said, options: { ...options, name: 'app' } }, theirs)), name };
    const spec = await makeSpec(
      { kind: said.kind, resolved, options, caller: theirs, origin: file },
      daemon.enforcement,
    );
    const { app } = addApp(daemon, spec, by, { isHeld: !isWanted });
    return { name, app, isNew: true, isStarted: isWanted, error: null };
  } catch (error) {
    if (!(error instanceof SteadError)) throw error;
    notes.push(`${name} is not brought up`);
    return { name, app: null, isNew: false, isStarted: false, error: error.toBody() };
  }
}

function startIfWanted(app: App): void {
  if (app.want !== 'running') return;
  for (const instance of app.instances) instance.dispatch({ type: 'start', by: 'user' });
}

async function firstMoments(app: App, wait: boolean, signal: AbortSignal): Promise<AppliedApp['error']> {
  try {
    const { look } = await lookAtAll(app.instances, wait, signal);
    if (look.early === null || app.spec.kind === 'job') return null;
    return new SteadError('EXITED_EARLY', `"${app.name}" ended at once: ${look.early.exit.reason}`, {
      hint: look.early.next,
    }).toBody();
  } catch (error) {
    if (error instanceof SteadError) return error.toBody();
    throw error;
  }
}

import { captureCaller } from '../../client/caller.ts';
import { mostInstances } from '../../config/instances.ts';
import type { ActionResult, ReloadRequest, ReloadStep } from '../../protocol/api.ts';
import { SteadError } from '../../protocol/errors.ts';
import { actOnApps, shownName } from '../acting.ts';
import type { Call, Command } from '../command.ts';
import { pidsInWords, reloadInWords } from '../render/instances.ts';
import { earlyLines } from '../render/started.ts';

export const command: Command = {
  name: 'reload',
  usage: ['reload <sel…> [--parallel N] [--canary N] [--update-env]', 'reload <sel…> --continue | --abort'],
  about: [
    'Replaces the instances of an app one by one, without a gap: a new run is started beside the old one; when it is ready, the old one takes no more connections, answers what it has begun, and is ended. A new run that ends or is not ready in time is ended, the old ones go on, and the reload has failed.',
    'With --canary so many new runs serve beside the old ones, until --continue replaces all, or --abort ends the new ones. --abort also ends a reload that goes on; what it has replaced by then stays new.',
    'It takes an app that shares what it listens on: with -i, or with --listen. Any other is restarted, and that is said.',
  ],
  examples: [
    ['stead reload web', 'one after the other'],
    ['stead reload web --parallel 2', 'two at a time'],
    ['stead reload web --canary 1', 'one beside the old ones, then wait'],
    ['stead reload web --continue', 'it is good: replace all'],
  ],
  flags: () => [
    {
      name: 'parallel',
      type: 'integer',
      min: 1,
      max: mostInstances,
      value: 'n',
      default: '1',
      text: 'so many at a time',
    },
    {
      name: 'canary',
      type: 'integer',
      min: 1,
      max: mostInstances,
      value: 'n',
      text: 'start so many beside the old ones, then wait',
    },
    { name: 'continue', type: 'boolean', text: 'go on after --canary' },
    { name: 'abort', type: 'boolean', text: 'end the new runs; those that serve go on' },
    { name: 'update-env', type: 'boolean', text: "with this shell's environment" },
    { name: 'no-wait', type: 'boolean', text: 'return at once' },
  ],
  run: reload,
};

async function reload(call: Call): Promise<number> {
  const then = thenOf(call.values);
  const body: Pick<ReloadRequest, 'parallel' | 'canary' | 'then' | 'updateEnv'> = {
    parallel: typeof call.values.parallel === 'number' ? call.values.parallel : 1,
    canary: typeof call.values.canary === 'number' ? call.values.canary : null,
    then,
    updateEnv: call.values['update-env'] ? captureCaller() : null,
  };
  return actOnApps(call, {
    route: 'reload',
    select: call.words,
    body: { ...body },
    doing: 'Reloading',
    done: lines[then],
  });
}

const ofBeginning = ['parallel', 'canary', 'update-env'];

function thenOf(values: Call['values']): ReloadStep {
  if (values.continue !== true && values.abort !== true) return 'begin';
  const word = values.continue === true ? 'continue' : 'abort';
  const other = values.continue === true && values.abort === true ? 'abort' : ofBeginning.find((name) => values[name]);
  if (other !== undefined)
    throw new SteadError('USAGE', `--${word} is for a reload that goes on, and --${other} does not go with it`, {
      hint: `stead reload <name> --${word}`,
    });
  return word;
}

type Line = (result: ActionResult) => string;

const done: Line = (result) => {
  const { app, early, isReloaded } = result;
  if (early) return earlyLines(app, early).join('\n');
  const name = shownName(result);
  const going = isReloaded === true ? null : reloadInWords(app, name);
  return going === null ? `${name} reloaded, ${pidsInWords(app) ?? app.state}` : `${name}: ${going}`;
};

const aborted: Line = (result) => {
  const name = shownName(result);
  const going = reloadInWords(result.app, name);
  return going === null
    ? `${name} goes on as it is, ${pidsInWords(result.app) ?? result.app.state}`
    : `${name}: ${going}`;
};

const lines: Readonly<Record<ReloadStep, Line>> = { begin: done, continue: done, abort: aborted };

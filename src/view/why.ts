/** Why an app is as it is: from its record, its last words, and a look at what it needs. The same for the daemon's answer and for the files alone. */
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { readIfThere } from '../host/files.ts';
import { signalName } from '../host/signals.ts';
import { readLogStart } from '../launcher/records.ts';
import { excerptFrom, linesFrom } from '../logs/excerpt.ts';
import { placeOf, type StreamName } from '../logs/layout.ts';
import type { AppDetail, ExitView, HeldSocket, WhyView } from '../protocol/api.ts';
import { runDirectory } from '../storage/layout.ts';
import { takenPort } from './taken-port.ts';

const shownExits = 5;
const searchedLines = 200;

export function whyView(home: string, detail: AppDetail): WhyView {
  const { name, state, want, by, reason, nextRun, instances, exits } = detail;
  const last = exits.at(-1) ?? null;
  const isTroubled = !['running', 'stopped', 'completed'].includes(state) || (last !== null && !isFine(last));
  const { out, err, shown } = lastWords(home, detail, last);
  return {
    name,
    keeper: detail.keeper ?? null,
    state,
    want,
    by,
    reason,
    since: instances[0]?.since ?? null,
    restarts: instances.reduce((sum, { restarts }) => sum + restarts, 0),
    nextRun,
    exits: exits
      .slice(-shownExits)
      .map((exit) => ({ ...exit, cause: exit.cause ?? null, explained: explainExit(exit, detail) })),
    findings: [
      ...(isTroubled ? findMissing(detail) : []),
      ...portFinding([...err, ...out].join('\n'), state),
      ...logFinding(home, name, detail.createdAt),
      ...(detail.watchProblem ? [{ what: detail.watchProblem, hint: `stead events ${name}; stead show ${name}` }] : []),
      ...(detail.held ?? []).flatMap((socket) => socketFinding(name, socket)),
    ],
    lastLines: shown,
  };
}

/** What was told last of its log, since there is such an app: what others did to it. */
function logFinding(home: string, name: string, since: string): WhyView['findings'] {
  let text: string | null;
  try {
    text = readIfThere(join(home, 'events.jsonl'));
  } catch {
    return [];
  }
  const line = text?.split('\n').findLast((each) => each.includes('"type":"log"') && each.includes(`"app":"${name}"`));
  try {
    const { reason, at } = JSON.parse(line ?? '{}') as { readonly reason?: unknown; readonly at?: unknown };
    if (typeof reason !== 'string' || typeof at !== 'string' || at < since) return [];
    return [{ what: `at ${at}: ${reason}`, hint: `stead logs ${name} --since ${at}` }];
  } catch {
    return [];
  }
}

/** Clients wait, and nobody comes for them; or they can't even reach it. */
function socketFinding(name: string, { address, queue, accepting, isPathTaken }: HeldSocket): WhyView['findings'] {
  if (isPathTaken)
    return [
      {
        what: `${address} is another file now: nobody reaches its socket`,
        hint: `move it away, then: stead reload ${name}`,
      },
    ];
  if (accepting.length > 0 || queue === null || queue === 0) return [];
  return [
    {
      what: `${queue} ${queue === 1 ? 'connection waits' : 'connections wait'} on ${address}, and no instance is seen to accept there`,
      hint: `stead show ${name} tells what it listens on; stead help instances, how it gets that socket`,
    },
  ];
}

const isFine = ({ code, ambiguous, cause }: ExitView): boolean =>
  (code === 0 && !ambiguous) || (cause ?? null) !== null;

/** What the last run that ended printed. */
function lastWords(
  home: string,
  { name, logs }: AppDetail,
  last: ExitView | null,
): { readonly out: string[]; readonly err: string[]; readonly shown: string[] } {
  const start = last === null ? { out: 0, err: 0 } : readLogStart(runDirectory(home, name, 0, last.run));
  const place = (stream: StreamName) => placeOf(home, name, { index: 0, stream, file: logs[stream] });
  const err = linesFrom(place('err'), start.err, searchedLines);
  return {
    out: linesFrom(place('out'), start.out, searchedLines),
    err,
    shown: err.length > 0 ? excerptFrom(place('err'), start.err) : excerptFrom(place('out'), start.out),
  };
}

/** What a number or a signal means beyond its name; null where that says it all. */
export function explainExit(
  { code, signal, ambiguous, coreDumped }: ExitView,
  { spec }: Pick<AppDetail, 'spec'>,
): string | null {
  if (ambiguous)
    return `status ${code} may be an exit code or a death by ${signal}: shells are silent about this signal, so it can't be told`;
  if (signal === 'SIGKILL')
    return 'somebody killed it (kill -9), or the kernel did as memory ran out; a program can do nothing about it';
  if (signal !== null)
    return coreDumped ? 'it left a core dump: coredumpctl, or look where /proc/sys/kernel/core_pattern says' : null;
  if (code === 126) return 'found, and could not be executed: a permission, or a broken binary';
  if (code === 127) return `not found: ${spec.program.words[0]}, or what it wanted to run`;
  if (code === null) return 'its launcher was killed, so nobody saw how it ended';
  const number = code - 128;
  if (number >= 1 && number <= 64)
    return `an exit code, and not a death by signal; shells give ${code} for what ${signalName(number)} killed: it may be handing that on`;
  return null;
}

/** What it needs and is not there. */
function findMissing({ spec }: AppDetail): { readonly what: string; readonly hint: string }[] {
  const { program, cwd, secrets, envFiles } = spec;
  const script = program.how === 'script' ? program.words[0] : undefined;
  const word = program.words[0] ?? '';
  const command = program.how === 'command' && word.includes('/') ? resolve(cwd, word) : undefined;
  return [
    ...missing('its directory', cwd, 'make it, or: stead set <name> cwd=DIR'),
    ...(program.interpreter !== null && isAbsolute(program.interpreter.path)
      ? missing('its interpreter', program.interpreter.path, 'install it again; a version manager may have removed it')
      : []),
    ...(script === undefined ? [] : missing('its script', script, 'put it back, or: stead delete <name>')),
    ...(command === undefined ? [] : missing('its program', command, 'put it back, or: stead delete <name>')),
    ...Object.entries(secrets).flatMap(([name, path]) =>
      missing(`the file of the secret ${name}`, path, 'put it back'),
    ),
    ...envFiles.flatMap((path) => missing('its env file', path, 'put it back; it is read at --update-env')),
  ];
}

function missing(what: string, path: string, hint: string): { readonly what: string; readonly hint: string }[] {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [{ what: `${what} is gone: ${path}`, hint }];
  try {
    accessSync(path, constants.R_OK);
    return [];
  } catch {
    return [{ what: `${what} may not be read: ${path}`, hint: `ls -l ${path}` }];
  }
}

function portFinding(text: string, state: string): { readonly what: string; readonly hint: string }[] {
  const what = state === 'running' ? null : takenPort(text);
  return what === null ? [] : [{ what, hint: 'end that one, or choose another port' }];
}

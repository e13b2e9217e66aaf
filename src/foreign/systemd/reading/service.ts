/** One `.service`, with the timer and the socket that start it → an app or a job. */
import { quote } from '../../../config/values.ts';
import { cwdFrom, type ForeignContext } from '../../context.ts';
import { type Draft, listed } from '../../draft.ts';
import { commandValue, type ExecCommand, literalWords, readExec, shellText, variablesIn } from './command.ts';
import { directoryKeys, environmentKeys, putEnvironment } from './environment.ts';
import { limitKeys, putLimits } from './limits.ts';
import { outputKeys, putOutput } from './output.ts';
import { putDuration, putRestart, putStop, restartKeys } from './restart.ts';
import { allOf, lastOf, type Unit } from './unit.ts';

const execKeys = [
  'ExecStart',
  'ExecStartPre',
  'ExecStartPost',
  'ExecStop',
  'ExecStopPost',
  'ExecReload',
  'ExecCondition',
];
const handled = new Set([
  ...execKeys,
  ...'Type User Group SupplementaryGroups WorkingDirectory UMask TimeoutStartSec WatchdogSec RemainAfterExit PIDFile BusName NotifyAccess NonBlocking'.split(
    ' ',
  ),
  ...directoryKeys,
  ...environmentKeys,
  ...limitKeys,
  ...outputKeys,
  ...restartKeys,
]);
const sandboxing =
  /^(Private|Protect|Restrict|ReadOnly|ReadWrite|Inaccessible|ExecPaths|NoExecPaths|TemporaryFileSystem|Bind|Mount|Root(Directory|Image)|SystemCall|LockPersonality|MemoryDenyWriteExecute|KeyringMode|DynamicUser|Capability|Ambient|SecureBits|RemoveIPC|SELinux|AppArmor|Smack|IPAddress|Device|ProcSubset)/;

export interface ServiceContext extends ForeignContext {
  readonly specify: (text: string) => string;
  /** Its program runs once: it is a oneshot, or started by a timer. */
  readonly isJob: boolean;
  /** Else it is one of a user. */
  readonly isOfSystem: boolean;
  /** Says what makes the file unusable. */
  mistake(text: string): void;
}

export function putService(draft: Draft, unit: Unit, context: ServiceContext): void {
  const value = (...keys: readonly string[]) => lastOf(unit, 'Service', ...keys);
  const specified = (key: string) => {
    const text = value(key);
    return text === undefined ? undefined : context.specify(text);
  };
  const description = lastOf(unit, 'Unit', 'Description');
  if (description !== undefined) draft.note(context.specify(description));
  if (context.isJob) draft.put('job', true);
  const known = putEnvironment(draft, unit, { context, specify: context.specify });
  const main = putCommands(draft, unit, { ...context, known });
  putUser(draft, unit, context.specify);
  putDirectory(draft, specified('WorkingDirectory'), context);
  draft.put('umask', value('UMask'), `UMask=${value('UMask')}`);
  putType(draft, unit, context.isJob);
  if (context.isJob) putRetries(draft, value('Restart'));
  else putRestart(draft, unit, main?.isLenient === true);
  putStop(draft, unit);
  putLimits(draft, unit);
  putOutput(draft, unit, { base: context.base, specify: context.specify });
  sayTheRest(draft, unit);
}

/** Sets `command` and the hooks; the command that is the program. */
function putCommands(
  draft: Draft,
  unit: Unit,
  context: ServiceContext & { readonly known: Readonly<Record<string, string>> },
): ExecCommand | undefined {
  const commands = (key: string) =>
    allOf(unit, 'Service', key).flatMap((line) => {
      const read = readExec(line, context);
      if (read === null) context.mistake(`${key}=${line}: a quote is not closed`);
      return read ?? [];
    });
  const main = commands('ExecStart');
  const before = commands('ExecStartPre');
  if (main.length === 0) {
    context.mistake('it has no ExecStart');
    return undefined;
  }
  draft.put('command', commandValue(before, main));
  if (before.length > 0)
    draft.note('ExecStartPre is run by the same shell before each start, and counts as its start.');
  const missing = variablesIn([...before, ...main]).filter((name) => !draftHas(draft, name));
  if (missing.length > 0)
    draft.note(
      `${listed(missing.map((name) => `$${name}`))}: looked up by a shell at each start, from env_file or from the environment of who applies.`,
    );
  const prefixes = [...new Set([...main, ...before].flatMap((command) => [...command.prefixes]))].filter(
    (prefix) => prefix !== ':',
  );
  if (prefixes.length > 0)
    draft.note(
      `ExecStart=${prefixes.join('')}…: the prefix ${listed(prefixes.map(quote))} has no equal (another argv[0], or more rights).`,
    );
  if (commands('ExecCondition').length > 0)
    draft.note(`ExecCondition=${allOf(unit, 'Service', 'ExecCondition').join('; ')}: has no equal.`);
  putHooks(draft, unit, commands);
  return main.at(-1);
}

const draftHas = (draft: Draft, name: string): boolean => Object.hasOwn((draft.get('env') ?? {}) as object, name);

/** What is run when it has started, is asked to stop, and has ended. */
function putHooks(draft: Draft, unit: Unit, commands: (key: string) => readonly ExecCommand[]): void {
  const lineOf = (key: string) => {
    const all = commands(key).map((command) => {
      const text = shellText(command, { MAINPID: 'STEAD_PID' });
      return command.isLenient ? `{ ${text} || :; }` : text;
    });
    return all.length === 0 ? undefined : all.join(' && ');
  };
  const started = lineOf('ExecStartPost');
  const ended = lineOf('ExecStopPost');
  const isNotify = (lastOf(unit, 'Service', 'Type') ?? '').startsWith('notify');
  const on = {
    ...(started !== undefined && { [isNotify ? 'ready' : 'start']: started }),
    ...(ended !== undefined && { exit: ended }),
  };
  if (Object.keys(on).length > 0 && draft.put('on', on, 'ExecStartPost, ExecStopPost'))
    draft.note('ExecStartPost and ExecStopPost are hooks: nothing waits for them, and they may take 10 s.');
  draft.put('stop_command', lineOf('ExecStop'), 'ExecStop');
  sayReload(draft, commands('ExecReload'));
}

function sayReload(draft: Draft, commands: readonly ExecCommand[]): void {
  const [only] = commands;
  if (only === undefined) return;
  const words = literalWords({
    ...only,
    words: only.words.map((word) => word.map((part) => (typeof part === 'object' ? `$${part.name}` : part))),
  })!;
  const signal = words.join(' ').match(/^\S*kill (?:-s )?-?(?:SIG)?([A-Z0-9]+) \$MAINPID$/)?.[1];
  draft.note(
    signal === undefined
      ? `ExecReload=${words.join(' ')}: has no equal; run it yourself.`
      : `ExecReload is here: stead signal ${signal} ${draft.get('name')}.`,
  );
}

function putUser(draft: Draft, unit: Unit, specify: (text: string) => string): void {
  const value = (key: string) => {
    const text = lastOf(unit, 'Service', key);
    return text === undefined ? undefined : specify(text);
  };
  const user = value('User');
  if (user !== 'root') draft.put('user', user, `User=${user}`);
  const group = value('Group');
  if (group !== undefined && group !== user && !(user === undefined && group === 'root'))
    draft.note(
      `Group=${group}: a program has the groups of its user; groups: [${group}] gives it that one in their place.`,
    );
  const more = allOf(unit, 'Service', 'SupplementaryGroups');
  if (more.length > 0)
    draft.note(
      `SupplementaryGroups=${more.join(' ')}: groups: [${more.join(' ').split(/\s+/).join(', ')}] stands in place of those of the user.`,
    );
}

/** `/` where nothing is said, as for every service of the system. */
function putDirectory(draft: Draft, text: string | undefined, context: ServiceContext): void {
  const path = (text ?? (context.isOfSystem ? '/' : context.userHome)).replace(/^-/, '');
  if (text?.startsWith('-')) draft.note(`WorkingDirectory=${text}: it must be there.`);
  const user = draft.get('user');
  if (path === '~' || path.startsWith('~/')) {
    draft.note(
      `WorkingDirectory=${text}: taken to be below ${user === undefined ? context.specify('%h') : `/home/${user}`}.`,
    );
    draft.put(
      'cwd',
      cwdFrom(context.base, path.replace('~', user === undefined ? context.specify('%h') : `/home/${user}`)),
    );
  } else draft.put('cwd', cwdFrom(context.base, path));
}

function putType(draft: Draft, unit: Unit, isJob: boolean): void {
  const value = (...keys: readonly string[]) => lastOf(unit, 'Service', ...keys);
  const type = value('Type') ?? 'simple';
  const isNotify = type === 'notify' || type === 'notify-reload';
  if (isNotify && !isJob) {
    draft.put('ready', 'notify');
    putDuration(draft, 'ready_timeout', value('TimeoutStartSec', 'TimeoutSec'), 'TimeoutStartSec');
  }
  if (isJob) {
    const time = value('TimeoutStartSec');
    if (time !== 'infinity') putDuration(draft, 'timeout', time, 'TimeoutStartSec');
  }
  if (type === 'forking') {
    draft.note(
      'Type=forking: a program that puts itself in the background is followed; better is one that stays in the foreground.',
    );
    if (value('PIDFile') !== undefined)
      draft.note(`PIDFile=${value('PIDFile')}: not read; what the program leaves running is found by itself.`);
  }
  if (type === 'dbus')
    draft.note(`Type=dbus: it counts as ready when it runs; BusName=${value('BusName') ?? ''} is not waited for.`);
  if (value('RemainAfterExit') === 'yes')
    draft.note('RemainAfterExit=yes: a job that has completed stays so; depends_on: {name: completed} waits for it.');
  const watchdog = value('WatchdogSec');
  if (watchdog === undefined || isJob || watchdog === '0') return;
  draft.put('alive', 'watchdog');
  putDuration(draft, 'alive_interval', watchdog, 'WatchdogSec');
}

function putRetries(draft: Draft, restart: string | undefined): void {
  if (restart !== undefined && restart !== 'no') draft.put('restart', restart === 'always' ? 'always' : 'on-failure');
}

/** By key, so that nothing is lost without a word. */
function sayTheRest(draft: Draft, { settings }: Unit): void {
  const rest = settings.filter(
    ({ section, key, value }) => section === 'Service' && value !== '' && !handled.has(key) && !key.startsWith('X-'),
  );
  const text = (list: typeof rest) => list.map(({ key, value }) => `${key}=${value}`).join(', ');
  const [sandbox, others] = [
    rest.filter(({ key }) => sandboxing.test(key)),
    rest.filter(({ key }) => !sandboxing.test(key)),
  ];
  if (sandbox.length > 0) draft.note(`Sandboxing has no equal here: ${text(sandbox)}.`);
  if (others.length > 0) draft.note(`Without an equal: ${text(others)}.`);
  const ofUnit = settings.filter(
    ({ section, key, value }) =>
      section === 'Unit' &&
      value !== '' &&
      /^(Condition|Assert|OnFailure|OnSuccess|JobTimeout|FailureAction|SuccessAction|StartLimitAction)/.test(key),
  );
  const failure = ofUnit.find(({ key }) => key === 'OnFailure');
  if (failure !== undefined) draft.note(`OnFailure=${failure.value}: on: {fail: COMMAND or URL} is told.`);
  const more = ofUnit.filter(({ key }) => key !== 'OnFailure');
  if (more.length > 0) draft.note(`Of [Unit], without an equal: ${text(more)}.`);
}

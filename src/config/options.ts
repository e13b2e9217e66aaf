/**
 * The one table of options that say how an app is run. From it come: the flags of the command line, the validation of requests, the
 * text of `--help`. A row added here is an option everywhere.
 */
import type { SpecOptions } from '../protocol/spec.ts';

export type OptionType =
  | 'text'
  | 'texts'
  | 'integer'
  | 'integers'
  | 'duration'
  | 'size'
  | 'boolean'
  | 'choice'
  | 'octal'
  | 'signal';

export interface Option {
  /** The flag is `--kebab-case` of this, the key in a file is it. */
  readonly key: string;
  /** The property of `SpecOptions`. */
  readonly property: keyof SpecOptions;
  readonly short?: string;
  readonly type: OptionType;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** What the value stands for in help: `<name>`. */
  readonly value?: string;
  /** The default in words. */
  readonly default: string;
  readonly text: string;
  readonly verbs: readonly ('start' | 'run' | 'adopt')[];
}

const both = ['start', 'run'] as const;
const all = ['start', 'run', 'adopt'] as const;

export const optionsTable: readonly Option[] = [
  {
    key: 'name',
    property: 'name',
    type: 'text',
    value: 'name',
    default: 'from the program',
    text: 'what to call it',
    verbs: all,
  },
  {
    key: 'group',
    property: 'group',
    short: 'g',
    type: 'text',
    value: 'group',
    default: 'none',
    text: 'put it into a group: @group selects all of it',
    verbs: all,
  },
  {
    key: 'cwd',
    property: 'cwd',
    type: 'text',
    value: 'dir',
    default: 'where you are',
    text: 'directory it runs in',
    verbs: both,
  },
  {
    key: 'interpreter',
    property: 'interpreter',
    type: 'text',
    value: 'program',
    default: 'by extension or #! line',
    text: "what runs the script, or 'none' to execute it itself",
    verbs: ['start'],
  },
  {
    key: 'interpreter_args',
    property: 'interpreterArgs',
    type: 'texts',
    value: 'arg',
    default: 'none',
    text: 'argument for the interpreter; may be repeated',
    verbs: ['start'],
  },
  {
    key: 'env',
    property: 'env',
    short: 'e',
    type: 'texts',
    value: 'NAME=value',
    default: 'your environment',
    text: 'set a variable over your environment; may be repeated',
    verbs: both,
  },
  {
    key: 'umask',
    property: 'umask',
    type: 'octal',
    min: 0,
    max: 0o777,
    value: 'octal',
    default: 'yours',
    text: 'its umask',
    verbs: both,
  },
  {
    key: 'nice',
    property: 'nice',
    type: 'integer',
    min: -20,
    max: 19,
    value: 'n',
    default: 'yours',
    text: 'its niceness',
    verbs: both,
  },
  {
    key: 'user',
    property: 'user',
    type: 'text',
    value: 'name',
    default: 'you',
    text: 'run it as this user, with all the groups of that user (root only)',
    verbs: both,
  },
  {
    key: 'no_new_privs',
    property: 'noNewPrivs',
    type: 'boolean',
    default: 'off',
    text: 'setuid programs gain it nothing',
    verbs: both,
  },
  {
    key: 'restart',
    property: 'restart',
    type: 'choice',
    choices: ['always', 'on-failure', 'no'],
    value: 'when',
    default: 'always for start, no for run',
    text: 'when to start it again after it ended: always, on-failure, no',
    verbs: all,
  },
  {
    key: 'stop_exit_codes',
    property: 'stopExitCodes',
    type: 'integers',
    min: 0,
    max: 255,
    value: 'codes',
    default: 'none',
    text: 'exit codes after which it is left alone: 0,3',
    verbs: all,
  },
  {
    key: 'max_restarts',
    property: 'maxRestarts',
    type: 'integer',
    min: 0,
    max: 1_000_000_000,
    value: 'n',
    default: 'unlimited',
    text: 'give up after so many automatic restarts in a row',
    verbs: all,
  },
  {
    key: 'stable_after',
    property: 'stableAfterMs',
    type: 'duration',
    min: 0,
    value: 'time',
    default: '10s',
    text: 'having run this long, earlier crashes are forgotten',
    verbs: all,
  },
  {
    key: 'stop_signal',
    property: 'stopSignal',
    type: 'signal',
    value: 'signal',
    default: 'TERM',
    text: 'the signal that asks it to end',
    verbs: all,
  },
  {
    key: 'stop_timeout',
    property: 'stopTimeoutMs',
    type: 'duration',
    min: 0,
    value: 'time',
    default: '10s',
    text: 'how long it may take to end before it is killed',
    verbs: all,
  },
  {
    key: 'keep_tree',
    property: 'keepTree',
    type: 'boolean',
    default: 'off',
    text: 'leave alone what the program leaves running when it ends',
    verbs: ['run'],
  },
  {
    key: 'leave_timeout',
    property: 'leaveTimeoutMs',
    type: 'duration',
    min: 0,
    value: 'time',
    default: '10s',
    text: 'how long what the program leaves behind may run on',
    verbs: ['run'],
  },
];

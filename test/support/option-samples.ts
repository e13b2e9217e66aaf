/** Values for each option of the table, as `SpecOptions` has them: of rows with a grammar as it has forms, of the others by their type. */
import { userInfo } from 'node:os';
import { type Option, optionsTable } from '../../src/config/options.ts';
import type { SpecOptions } from '../../src/protocol/spec.ts';

/** What is a text of its own kind. Files are those that `samplePlace` makes. */
const texts: Readonly<Partial<Record<keyof SpecOptions, readonly unknown[]>>> = {
  name: ['a.b-c_d'],
  group: ['shop'],
  cwd: ['sub'],
  interpreter: ['node', 'none'],
  interpreterArgs: [['--no-warnings', '--title=a b']],
  user: [userInfo().username],
  groups: [['0']],
  env: [
    ['A=1', 'B=', 'C=a: b # c', 'D=line\nline\n', 'E="q" $x %n \\', 'G=$\x7bHOME}', '_x=y', 'F=\udcff\ud83d\ude00'],
    ['1=x', 'a-b=null', '2=y'],
    ['A=1', 'A=2'],
  ],
  envFile: [['x.env', 'sub/y.env']],
  secret: [['TOKEN=file:token', 'KEY=file:/etc/hostname']],
  stopExitCodes: [['0,3', 'TERM'], ['77']],
  stopSignal: ['INT:5s,TERM', 'usr1'],
  stopCommand: ['echo "x" # y $\x7bHOME}', 'a\nb'],
  stopStdin: ['quit', 'two\nlines '],
  ready: [
    'port:5000',
    'http://localhost:80/x?y=1#z',
    'http:8080/health',
    'log:ready: \\d+',
    'exec:test -e x',
    'ipc',
    'fd:7',
    'notify',
  ],
  alive: ['port:db.local:5432', 'https://localhost/', 'exec:true', 'watchdog'],
  instances: ['3', 'max', '-1'],
  listen: [['5000', '127.0.0.1:5001', '[::1]:5002', 'udp:53', 'ctl=unix:run/x.sock'], ['http=8080']],
  incrementVar: ['PORT'],
  drainSignal: ['usr2'],
  dependsOn: [['db:started', 'cache,queue:completed']],
  cron: ['0 3 * * *', '*/5 * * * * *'],
  timezone: ['Europe/Zurich'],
  after: [['first,second', 'third']],
  limit: [['nofile=64:128', 'core=0']],
  ioNice: ['idle', 'best-effort:7'],
  logOut: ['logs/out.log', 'none', '/var/log/x.log'],
  logErr: ['err.log'],
  watch: [['.'], ['src', 'lib,test']],
  ignore: [['*.tmp', '!keep.tmp']],
  ignoreWatch: [['node_modules']],
  ext: ['ts,json', '*'],
  before: ['npm run build'],
  watchSignal: ['usr1'],
  ttySize: ['100x30'],
  on: [['exit=echo "$STEAD_NAME"', 'fail=https://example.org/x?a=b'], ['stop=a=b']],
};

/** Options that say nothing without others. */
const companions: Readonly<Partial<Record<keyof SpecOptions, SpecOptions>>> = {
  timezone: { cron: '0 3 * * *' },
  overlap: { cron: '0 3 * * *' },
  missed: { cron: '0 3 * * *' },
  idleTimeoutMs: { listen: ['5000'], listenOnDemand: true },
  listenOnDemand: { listen: ['5000'] },
  ttySize: { tty: true },
  ttyResize: { tty: true },
  ttyScrollback: { tty: true },
  ignore: { watch: ['.'] },
  ignoreWatch: { watch: ['.'] },
  ext: { watch: ['.'] },
  watchDelayMs: { watch: ['.'] },
  gitignore: { watch: ['.'] },
  before: { watch: ['.'] },
  onBusy: { watch: ['.'] },
  watchSignal: { watch: ['.'], onBusy: 'signal' },
  interpreterArgs: { interpreter: 'node' },
  slots: { group: 'batch' },
};

export interface Sample {
  readonly key: string;
  readonly kind: 'app' | 'job';
  readonly options: SpecOptions;
}

/** One for each value of each option, for an app where it may be one. */
export const optionSamples = (): readonly Sample[] =>
  optionsTable.flatMap((option) =>
    valuesOf(option).map((value) => ({
      key: option.key,
      kind: option.verbs.includes('start') ? ('app' as const) : ('job' as const),
      options: { ...companions[option.property], [option.property]: value },
    })),
  );

function valuesOf({ property, type, choices, min = 0, max = Number.MAX_SAFE_INTEGER }: Option): readonly unknown[] {
  const own = texts[property];
  if (own !== undefined) return own;
  const within = (values: readonly number[]) => values.map((value) => Math.min(Math.max(value, min), max));
  switch (type) {
    case 'boolean':
      return [true, false];
    case 'choice':
      return choices!;
    case 'duration':
      return within([90_000, 1600, 86_400_000]);
    case 'size':
      return within([200 * 2 ** 20, 1_234_567]);
    case 'octal':
      return within([0o27, 0]);
    case 'integer':
      return within([3, 7]);
    case 'number':
      return within([1.5]);
    default:
      throw new Error(`no sample for the option ${property}`);
  }
}

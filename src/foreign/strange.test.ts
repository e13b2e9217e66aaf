/** Files that nobody would write: each is refused in words, or becomes a config file that can be applied. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteadError } from '../protocol/errors.ts';
import { Names } from './draft.ts';
import { checked, contextWith } from './fixtures.ts';
import { foreverApp } from './forever/app.ts';
import { readForeverLine } from './forever/line.ts';
import { keys as foreverKeys } from './forever/options.ts';
import { readForever } from './forever/read.ts';
import type { Foreign } from './model.ts';
import { readProcessCompose } from './process-compose/read.ts';
import { readProcfile } from './procfile/read.ts';
import { readSupervisor } from './supervisor/read.ts';
import { readSystemd } from './systemd/reading/read.ts';

const values = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      '0',
      '1',
      '-1',
      '5',
      '1e3',
      'yes',
      'no',
      'true',
      'always',
      'TERM',
      'NOPE',
      '10s',
      '50%',
      'infinity',
      '/x y/z',
      '~/a',
      './b',
      'none',
      '/dev/null',
    ],
    ...[
      'a b',
      '"a',
      "it's",
      '$X',
      '${X}',
      '$$',
      '%(here)s',
      '%(process_num)02d',
      '%%',
      '%',
      '%i',
      '{{.A}}',
      '*',
      'x=1',
      'A="1",B=2',
      '#c',
      ';d',
      'constructor',
      '__proto__',
      'é😀',
      '\\',
      '\\x00',
      'all',
      '..',
      '0 3 * * *',
      'Mon *-*-* 3:00',
      'unix:///run/x',
      '99999999999999999999',
      '3,4',
      '[1]',
      '{a: b}',
      'null',
    ],
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);

/** Lines of `key<sep>value` between headers. */
const lines = (headers: readonly string[], keys: readonly string[], separator: string) =>
  fc
    .array(
      fc.tuple(fc.constantFrom(...headers), fc.array(fc.tuple(fc.constantFrom(...keys), values), { maxLength: 8 })),
      { minLength: 1, maxLength: 4 },
    )
    .map((sections) =>
      sections
        .map(([header, pairs]) => [header, ...pairs.map(([key, value]) => `${key}${separator}${value}`)].join('\n'))
        .join('\n'),
    );

/** Null: it was refused in words. */
function orRefused(read: () => Foreign): Foreign | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof SteadError && ['CONFIG_INVALID', 'USAGE'].includes(error.code)) return null;
    throw error;
  }
}

function holds(read: () => Foreign): void {
  const foreign = orRefused(read);
  if (foreign !== null) checked(foreign);
}

const env = { X: 'value of X', HOME: '/home/me' };
const runs = { numRuns: 30 };

test('supervisord.conf', () => {
  const keys =
    'command process_name numprocs numprocs_start autostart autorestart startsecs startretries exitcodes stopsignal stopwaitsecs stopasgroup user redirect_stderr stdout_logfile stderr_logfile stdout_logfile_maxbytes stdout_logfile_backups stdout_syslog environment directory umask priority programs files socket'.split(
      ' ',
    );
  const files = lines(
    [
      '[program:a]\ncommand=x',
      '[program:b c]\ncommand=y z',
      '[group:g]',
      '[fcgi-program:f]\ncommand=f',
      '[supervisord]',
      '[include]',
      '[eventlistener:e]',
      '[program:]',
    ],
    keys,
    '=',
  );
  fc.assert(
    fc.property(files, (text) => holds(() => readSupervisor(text, contextWith('/srv/s.conf', {}, { env })))),
    runs,
  );
});

test('units', () => {
  const keys =
    'ExecStart ExecStartPre ExecStop ExecStartPost ExecReload Type Restart RestartSec RestartSteps RestartMaxDelaySec StartLimitBurst StartLimitIntervalSec SuccessExitStatus TimeoutStartSec TimeoutStopSec KillSignal KillMode Environment EnvironmentFile User Group WorkingDirectory UMask LimitNOFILE LimitCPU LimitNICE MemoryMax CPUQuota TasksMax CPUWeight Nice IOSchedulingClass IOSchedulingPriority OOMScoreAdjust NoNewPrivileges StandardOutput StandardError WatchdogSec RuntimeDirectory After Requires Before OnCalendar OnUnitActiveSec ListenStream Accept FileDescriptorName Unit'.split(
      ' ',
    );
  const unit = lines(['[Service]\nExecStart=/bin/x', '[Unit]', '[Timer]', '[Socket]', '[Service]'], keys, '=');
  const context = contextWith('/x', { '/x y/z': 'A=1\nB="x\n' }, { env });
  fc.assert(
    fc.property(unit, unit, unit, (a, b, c) =>
      holds(() =>
        readSystemd(
          [
            { path: '/u/a@1.service', text: a },
            { path: '/u/b.service', text: b },
            { path: '/u/b.timer', text: c },
            { path: '/u/a@1.socket', text: c },
          ],
          context,
        ),
      ),
    ),
    runs,
  );
});

test('Procfiles and their .env', () => {
  const text = lines(['web: node x', '# c', 'release: y'], ['w', 'all', 'constructor', '0', 'a_b'], ': ');
  const dotenv = lines(['A=1'], ['PORT', 'X', 'OVERMIND_FORMATION', 'OVERMIND_STOP_SIGNALS', 'OVERMIND_CAN_DIE'], '=');
  fc.assert(
    fc.property(text, dotenv, (file, values) =>
      holds(() => readProcfile(file, contextWith('/srv/Procfile', { '/srv/.env': values }, { env }))),
    ),
    runs,
  );
});

const json: fc.Arbitrary<unknown> = fc.oneof(
  { depthSize: 'small' },
  values,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(values, { maxLength: 3 }),
  fc.dictionary(values, values, { maxKeys: 2 }),
);

test("forever's JSON and command lines", () => {
  const around = { ...contextWith('/srv/f.json', {}, { env }), directory: '/srv', root: '/home/me/.forever' };
  const app = fc.dictionary(fc.constantFrom(...Object.keys(foreverKeys), 'env', 'constructor'), json, { maxKeys: 10 });
  const withScript = app.map((keys) => ({ script: 'x.js', ...keys }));
  fc.assert(
    fc.property(fc.array(fc.oneof(app, withScript), { maxLength: 3 }), (apps) =>
      holds(() => readForever(JSON.stringify(apps), 'f.json', around)),
    ),
    runs,
  );
  const words = fc.array(
    fc.oneof(
      values,
      fc.constantFrom('-m', '--uid', '-w', '--watchIgnore', '--minUptime', '-c', '-l', '--no-killTree', '--x', 'start'),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(words, (line) =>
      holds(() => ({
        apps: [foreverApp(readForeverLine([...line, 'app.js']), { ...around, names: new Names() })],
        notes: [],
      })),
    ),
    runs,
  );
});

test('process-compose.yaml', () => {
  const keys =
    'command entrypoint description disabled is_daemon is_tty working_dir namespace replicas environment env_file vars availability depends_on liveness_probe readiness_probe ready_log_line shutdown log_location log_configuration schedule watch constructor'.split(
      ' ',
    );
  const inner = fc.dictionary(
    fc.constantFrom(
      ...'restart backoff_seconds max_restarts command signal timeout_seconds exec http_get port host path scheme period_seconds failure_threshold cron interval timezone paths debounce rotation max_size_mb a b condition'.split(
        ' ',
      ),
    ),
    json,
    { maxKeys: 5 },
  );
  const process = fc.dictionary(fc.constantFrom(...keys), fc.oneof(json, inner), { maxKeys: 8 });
  const withCommand = process.map((fields) => ({ command: 'x', ...fields }));
  const project = fc.record(
    {
      processes: fc.dictionary(fc.constantFrom('a', 'b', 'all', '0', 'constructor'), fc.oneof(process, withCommand), {
        maxKeys: 3,
      }),
      environment: json,
      shell: json,
      vars: json,
      extra: json,
    },
    { requiredKeys: ['processes'] },
  );
  fc.assert(
    fc.property(project, (value) =>
      holds(() =>
        readProcessCompose(
          [{ path: '/srv/p.yaml', text: JSON.stringify(value) }],
          contextWith('/srv/p.yaml', {}, { env }),
        ),
      ),
    ),
    runs,
  );
});

test('any text at all', () => {
  const context = contextWith('/srv/x', {}, { env });
  const text = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...'[]{}:=#;"\'\\$%\n\r\t -&*!|>ab0.,'), maxLength: 80 }),
    )
    .map((each) => each.replaceAll('\0', ''));
  fc.assert(
    fc.property(text, (any) => {
      holds(() => readProcfile(any, context));
      holds(() => readSupervisor(any, context));
      holds(() => readSystemd([{ path: '/u/a.service', text: any }], context));
      holds(() => readProcessCompose([{ path: '/srv/p.yaml', text: any }], context));
      holds(() => readForever(any, 'f', { ...context, directory: '/srv', root: '/r' }));
    }),
    runs,
  );
});

test('much of what would take a careless reader for ever is read, or refused, in time', () => {
  const many = (piece: string, size = 32 * 1024) => piece.repeat(Math.floor(size / piece.length));
  const hostile = [
    ...[
      'a',
      ' ',
      '\n',
      '\t',
      '"',
      "'",
      '\\',
      '$',
      '${',
      '{{',
      '{{ "',
      '%(',
      '%(a',
      '[',
      '[a]\n',
      '#',
      ';',
      '=',
      ':',
      ' =',
      ' #',
      '- ',
      'exec ',
      'a ',
      '\\\n',
    ].map((piece) => many(piece)),
    `a${many(' ')}b`,
  ];
  const context = contextWith('/srv/x', { '/srv/.env': many('A="'), '/e': many("A='\n") }, { env });
  const began = performance.now();
  for (const text of hostile) {
    orRefused(() => readProcfile(`web: ${text}\n`, contextWith('/srv/Procfile')));
    orRefused(() => readProcfile(text, context));
    orRefused(() => readSupervisor(`[program:a]\ncommand=x\nenvironment=${text}\nuser=${text}`, context));
    orRefused(() => readSupervisor(`[program:a]\ncommand=x ${text}`, context));
    orRefused(() => readSupervisor(text, context));
    orRefused(() =>
      readSystemd(
        [{ path: '/u/a.service', text: `[Service]\nExecStart=/x ${text}\nEnvironmentFile=/e\nEnvironment=${text}` }],
        context,
      ),
    );
    orRefused(() => readSystemd([{ path: '/u/a.service', text }], context));
    orRefused(() => readForever(text, 'f', { ...context, directory: '/srv', root: '/r' }));
    const part = text.slice(0, 2000);
    orRefused(() =>
      readProcessCompose(
        [
          {
            path: '/srv/p.yaml',
            text: JSON.stringify({ processes: { a: { command: part, replicas: 2, x: `{{ ${part}` } } }),
          },
        ],
        contextWith('/srv/p.yaml'),
      ),
    );
    orRefused(() => readProcessCompose([{ path: '/srv/p.yaml', text: part }], contextWith('/srv/p.yaml')));
  }
  // What is not linear would take hours.
  assert.ok(performance.now() - began < 60_000);
});

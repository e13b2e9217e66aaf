/** Apps for the tests of what is printed. */
import { settle } from '../../config/settle.ts';
import type { AppDetail, AppView, InstanceView } from '../../protocol/api.ts';

const inherited = { umask: 0o22, limits: {}, nice: 0, oomScoreAdj: 0 };

const running: InstanceView = {
  index: 0,
  state: 'running',
  ready: true,
  pid: 812,
  since: '2026-01-31T12:00:00.000Z',
  restarts: 0,
  memory: 47_400_000,
  cpu: 0.4,
  reason: null,
};

export function makeApp(app: Partial<AppView> = {}, instances: readonly Partial<InstanceView>[] = [{}]): AppView {
  return {
    id: 0,
    name: 'web',
    kind: 'app',
    group: null,
    want: 'running',
    state: 'running',
    reason: null,
    ports: [],
    createdAt: '2026-01-31T12:00:00.000Z',
    nextRun: null,
    ...app,
    instances: instances.map((one) => ({ ...running, ...one })),
  };
}

export function makeDetail(detail: Partial<AppDetail> = {}): AppDetail {
  return {
    ...makeApp(),
    spec: {
      format: 2,
      name: 'web',
      kind: 'app',
      program: {
        how: 'script',
        words: ['/srv/my app/web.js', '--port', '80'],
        interpreter: { name: 'node', path: '/usr/bin/node', args: [] },
      },
      cwd: '/srv/my app',
      env: ['A=1', 'TOKEN=secret'],
      user: null,
      groups: null,
      options: {},
      origin: null,
      inherited,
      envFiles: [],
      ...settle({}, { kind: 'app', inherited }),
    },
    by: 'stead start web.js (pid 800)',
    exits: [],
    logs: { out: '/home/u/.stead/logs/web/0.out.log', err: '/home/u/.stead/logs/web/0.err.log' },
    sockets: [],
    env: ['A', 'TOKEN'],
    processes: [],
    ...detail,
  };
}

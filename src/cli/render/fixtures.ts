/** Apps for the tests of what is printed. */
import type { AppDetail, AppView, InstanceView } from '../../protocol/api.ts';

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
    ...app,
    instances: instances.map((one) => ({ ...running, ...one })),
  };
}

export function makeDetail(detail: Partial<AppDetail> = {}): AppDetail {
  return {
    ...makeApp(),
    spec: {
      format: 1,
      name: 'web',
      kind: 'app',
      group: null,
      program: {
        how: 'script',
        words: ['/srv/my app/web.js', '--port', '80'],
        interpreter: { name: 'node', path: '/usr/bin/node', args: [] },
      },
      cwd: '/srv/my app',
      env: ['A=1', 'TOKEN=secret'],
      umask: 0o22,
      limits: {},
      nice: 0,
      oomScoreAdj: 0,
      user: null,
      noNewPrivs: false,
      restart: 'always',
      stopExitCodes: [],
      maxRestarts: null,
      stableAfterMs: 10_000,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 10_000,
      keepTree: false,
      leaveTimeoutMs: 10_000,
    },
    exits: [],
    logs: { out: '/home/u/.stead/logs/web/0.out.log', err: '/home/u/.stead/logs/web/0.err.log' },
    sockets: [],
    env: ['A', 'TOKEN'],
    processes: [],
    ...detail,
  };
}

/** sd_notify(3), spoken by a real program; and who is not listened to. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isRunning } from '../support/proc.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor } from '../support/wait.ts';

/** Says each argument in turn; a number is a pause in seconds, `fork` goes on in a child and ends the parent. */
const speaker = `
import os, socket, sys, time
def say(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ['NOTIFY_SOCKET'])
    if text == 'BARRIER=1':
        r, w = os.pipe()
        socket.send_fds(s, [text.encode()], [w])
        os.close(w)
        os.read(r, 1)
        os.close(r)
        open('barrier', 'w').write('passed')
    else:
        s.send(text.replace('$PID', str(os.getpid())).encode())
for word in sys.argv[1:]:
    if word == 'fork':
        if os.fork(): time.sleep(0.3); os._exit(0)
        os.setsid()
    elif word == 'watchdog':
        while not os.path.exists('silent'):
            say('WATCHDOG=1'); time.sleep(0.05)
    elif '=' in word: say(word)
    else: time.sleep(float(word))
time.sleep(1000)
`;

async function start(t: TestContext, { options, words }: { options: readonly string[]; words: readonly string[] }) {
  const stead = new Stead(t);
  writeFileSync(join(stead.directory, 'speak.py'), speaker);
  const result = await stead.run(['start', 'speak.py', '--name', 'web', ...options, '--', ...words]);
  return { stead, result };
}

test('READY=1 and STATUS=; a barrier is passed; the program has no fd of the socket', async (t) => {
  const words = ['STATUS=warming up', '0.3', 'READY=1\nSTATUS=serving', 'BARRIER=1'];
  const { stead, result } = await start(t, { options: ['--ready', 'notify'], words });
  assert.equal(result.code, 0, result.stderr);
  assert.ok(result.tookMs > 300);
  await waitFor('its status', async () => (await stead.list())[0]!.instances[0]!.status === 'serving');
  await waitFor('the barrier', () => existsSync(join(stead.directory, 'barrier')));
  assert.deepEqual(readdirSync(`/proc/${await stead.pid('web')}/fd`).sort(), ['0', '1', '2']);
  await stead.ok(['stop', 'web']);
  assert.deepEqual(readdirSync(join(stead.home, 'notify')), []);
});

test('what is said while no daemon runs is heard by the next one', async (t) => {
  const { stead } = await start(t, { options: ['--ready', 'notify', '--no-wait'], words: ['1', 'READY=1'] });
  const daemon = (await stead.daemon()).pid!;
  const guardian = (await stead.daemon()).guardian!;
  const pid = await stead.pid('web');
  for (const each of [guardian, daemon]) process.kill(each, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await stead.ok(['reset', 'web']);
  const { instances } = await stead.until('web', 'ready', ({ state }) => state === 'running');
  assert.equal(instances[0]!.pid, pid);
  assert.ok(!readFileSync(join(stead.home, 'daemon.log'), 'utf8').includes('notify socket can'), 'the same socket');
});

test('EXTEND_TIMEOUT_USEC= gives more time, never READY=1 is a failed start', async (t) => {
  const within = (time: string) => ['--ready', 'notify', '--ready-timeout', time];
  // Enough for Python to start on a machine that is busy.
  const { result } = await start(t, { options: within('3s'), words: ['EXTEND_TIMEOUT_USEC=9000000', '4', 'READY=1'] });
  assert.equal(result.code, 0, result.stderr);
  const never = await start(t, { options: within('500ms'), words: ['STATUS=never'] });
  assert.equal(never.result.code, 6);
  assert.match(never.result.stderr, /not ready within 500 ms \(READY=1\)/);
});

test('a watchdog that is not fed is a restart with that reason; a daemon that was stopped for a while is no reason', async (t) => {
  const options = ['--ready', 'notify', '--alive', 'watchdog', '--alive-interval', '600ms'];
  const { stead } = await start(t, { options, words: ['READY=1', 'watchdog'] });
  const pid = await stead.pid('web');
  const daemon = (await stead.daemon()).pid!;
  process.kill(daemon, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  process.kill(daemon, 'SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await stead.pid('web'), pid);
  writeFileSync(join(stead.directory, 'silent'), '');
  const { exits } = await stead.until('web', 'restarted', ({ instances }) => instances[0]!.restarts > 0);
  assert.equal(exits[0]!.cause, 'watchdog: no WATCHDOG=1 for 600 ms');
});

test('strangers are not listened to, and MAINPID= names a process of the tree or nobody', async (t) => {
  const { stead } = await start(t, {
    options: ['--ready', 'notify', '--no-wait'],
    words: ['MAINPID=1', '4', 'READY=1', 'fork', 'MAINPID=$PID'],
  });
  const socket = join(stead.home, 'notify', readdirSync(join(stead.home, 'notify'))[0]!);
  await execute('python3', ['-c', speaker.replace('time.sleep(1000)', ''), 'READY=1', 'MAINPID=1', 'STOPPING=1'], {
    env: { ...process.env, NOTIFY_SOCKET: socket },
  });
  assert.equal((await stead.list())[0]!.state, 'starting');
  const first = await stead.pid('web');
  const app = await stead.until(
    'web',
    'its child to be the main one',
    ({ instances }) => ![null, first].includes(instances[0]!.pid),
  );
  assert.equal(app.state, 'running');
  const child = app.instances[0]!.pid!;
  assert.ok(isRunning(child) && child !== 1);
  await stead.ok(['stop', 'web']);
  assert.ok(!isRunning(child));
});

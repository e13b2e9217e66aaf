/** Programs outlive the terminal that they were started from, in each of the seven ways in which it may end. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, steadBin } from '../support/paths.ts';
import { freePort } from '../support/ports.ts';
import { isRunning, openFds, sessionOf } from '../support/proc.ts';
import { Stead } from '../support/stead.ts';
import { hasTerminals, Terminal } from '../support/terminal.ts';
import { waitFor } from '../support/wait.ts';

interface Ending {
  readonly title: string;
  readonly login: boolean;
  readonly huponexit: boolean;
  end(terminal: Terminal, shell: number): Promise<void>;
  /** What becomes of `sleep 300 &`, the proof that the shell ended in this way. */
  readonly plainJobLives: boolean;
}

const exit = async (terminal: Terminal) => {
  terminal.type('exit\n');
  await terminal.ended();
};
const close = (terminal: Terminal) => terminal.close();
const kill = (signal: NodeJS.Signals) => async (terminal: Terminal, shell: number) => {
  process.kill(shell, signal);
  await terminal.ended();
};

const endings: readonly Ending[] = [
  { title: 'exit of a login shell, huponexit off', login: true, huponexit: false, end: exit, plainJobLives: true },
  { title: 'exit of a login shell, huponexit on', login: true, huponexit: true, end: exit, plainJobLives: false },
  {
    title: 'exit of a shell that is no login shell, huponexit on',
    login: false,
    huponexit: true,
    end: exit,
    plainJobLives: true,
  },
  { title: 'the terminal closed, huponexit off', login: true, huponexit: false, end: close, plainJobLives: false },
  { title: 'the terminal closed, huponexit on', login: true, huponexit: true, end: close, plainJobLives: false },
  { title: 'SIGHUP for the shell', login: true, huponexit: true, end: kill('SIGHUP'), plainJobLives: false },
  {
    title: 'SIGKILL for the shell, then the terminal closed',
    login: true,
    huponexit: true,
    end: kill('SIGKILL'),
    plainJobLives: true,
  },
];

for (const ending of endings) {
  test(`start, run and open survive: ${ending.title}`, {
    skip: !hasTerminals && 'no python3 is installed',
  }, async (t) => {
    const stead = new Stead(t);
    const port = await freePort();
    const terminal = shellOn(stead, ending);
    const shell = await terminal.pid();
    terminal.type('sleep 300 & echo "plain=$!"\n');
    const plain = Number((await terminal.shows(/plain=(\d+)/))[1]);
    terminal.type(`PORT=${port} stead start ${join(repository, 'examples/testserver.js')}; echo "start=$?"\n`);
    await terminal.shows(/start=0/);
    terminal.type('stead run --name job -- sleep 300; echo "run=$?"\n');
    await terminal.shows(/run=0/);
    terminal.type(`stead open -d session -- /bin/sh -c 'while read line; do echo "<$line>"; done'; echo "open=$?"\n`);
    await terminal.shows(/open=0/);
    const names = ['testserver', 'job', 'session'];
    const pids = await Promise.all(names.map((name) => stead.pid(name)));
    const [server, job, session] = pids as [number, number, number];
    const daemon = await stead.daemon();

    await ending.end(terminal, shell);
    assert.equal(isRunning(shell), false);
    await waitFor('what the shell does to its job', () => isRunning(plain) === ending.plainJobLives);

    assert.match(await answerOf(port), /./);
    assert.deepEqual(await Promise.all(names.map((name) => stead.pid(name))), pids);
    assert.deepEqual((await stead.list()).map(({ name, state }) => `${name} ${state}`).toSorted(), [
      'job running',
      'session running',
      'testserver running',
    ]);
    assert.equal((await stead.daemon()).pid, daemon.pid);
    await stead.ok(['send', 'session', 'still there']);
    await stead.ok(['wait', 'session', '--for', '<still there>', '--timeout', '20s']);
    assert.equal(sessionOf(session).session, session, 'it leads a session of its own');
    for (const pid of [server, job, daemon.pid!, daemon.guardian!]) {
      assert.equal(sessionOf(pid).terminal, 0, `${pid} has a terminal`);
      assert.deepEqual(
        Object.values(openFds(pid)).filter((to) => /pts|tty/.test(to)),
        [],
      );
    }
  });
}

/** An interactive bash whose prompt and history are none, with `stead` as a function. */
function shellOn(stead: Stead, { login, huponexit }: Ending): Terminal {
  const settings = `shopt -${huponexit ? 's' : 'u'} huponexit; PS1= HISTFILE=; stead() { "${process.execPath}" "${steadBin}" "$@"; }\n`;
  for (const name of ['.bash_profile', '.bashrc']) writeFileSync(join(stead.directory, name), settings);
  return new Terminal('/bin/bash', [login ? '-bash' : 'bash', '-i'], {
    env: { ...stead.env, TERM: 'dumb' },
    cwd: stead.directory,
  });
}

async function answerOf(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) });
  return response.text();
}

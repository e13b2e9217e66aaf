/**
 * Programs that keep terminals, as one thing each: sessions of 80×24 that are made detached, attached to, looked at and ended. And who sits before them: a
 * pseudoterminal that reads at full speed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, until } from './measure.mjs';
import { endProcess, ownProcess, stead } from './tools.mjs';

export const python = '/usr/bin/python3';

/** Those of the named that are installed, by name, and a sentence on those that are not. */
export function contenders(context, names) {
  const makers = { stead: steadTerminals, tmux: tmuxTerminals, screen: screenTerminals, dtach: dtachTerminals };
  const absent = names.filter((name) => name !== 'stead' && spawnSync('which', [name]).status !== 0);
  const present = names.filter((name) => !absent.includes(name));
  return {
    all: Object.fromEntries(present.map((name) => [name, makers[name](context)])),
    lacking: absent.length === 0 ? '' : ` Not installed, and so not measured: ${absent.join(', ')}.`,
  };
}

/** Its sessions are apps; `host` gives the pid of the one process that has their terminals. */
export function steadTerminals(context) {
  const tool = stead(context);
  const pid = () => JSON.parse(readFileSync(join(tool.home, 'terminals/host.json'), 'utf8')).pid;
  return {
    host: () => until(() => attempt(pid), 'the pty host'),
    open: (name, words) => tool.run(['open', '-d', name, '--', ...words]),
    attach: (name) => [...tool.bin, 'attach', name],
    capture: async (name) => (await tool.run(['capture', name])).output,
    close: (name) => tool.run(['delete', name, '--purge']),
    log: (name) => join(tool.home, 'logs', name, '0.out.log'),
    env: tool.env,
    async end() {
      const host = attempt(pid);
      await tool.end();
      // It serves nobody any more, and may take a while to notice.
      if (host && attempt(() => readFileSync(`/proc/${host}/cmdline`, 'utf8'))?.includes(tool.home))
        await endProcess(host);
    },
  };
}

export function tmuxTerminals(context) {
  const env = { ...process.env, TERM: 'xterm-256color', TMUX_TMPDIR: context.scratch };
  const tmux = ['tmux', '-L', 'bench', '-f', '/dev/null'];
  const run = (words, options) => command([...tmux, ...words], { env, ...options });
  const end = () => run(['kill-server'], { allowFailure: true });
  context.tools.push({ end });
  return {
    host: async () => Number((await run(['display-message', '-p', '#{pid}'])).output),
    open: (name, words) => run(['new-session', '-d', '-s', name, '-x', '80', '-y', '24', '--', ...words]),
    attach: (name) => [...tmux, 'attach', '-t', name],
    capture: async (name) => (await run(['capture-pane', '-p', '-t', name])).output,
    close: (name) => run(['kill-session', '-t', name]),
    env,
    end,
  };
}

export function screenTerminals(context) {
  const directory = join(context.scratch, 'screen');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const env = { ...process.env, TERM: 'xterm-256color', SCREENDIR: directory };
  const names = new Set();
  const run = (words, options) => command(['screen', '-c', '/dev/null', ...words], { env, ...options });
  const close = async (name) => {
    names.delete(name);
    await run(['-S', name, '-X', 'quit'], { allowFailure: true });
  };
  const end = async () => {
    for (const name of names) await close(name);
  };
  context.tools.push({ end });
  return {
    async open(name, words) {
      names.add(name);
      await run(['-d', '-m', '-S', name, ...words]);
    },
    attach: (name) => ['screen', '-c', '/dev/null', '-r', name],
    async capture(name) {
      const file = join(context.scratch, 'hardcopy');
      await run(['-S', name, '-X', 'hardcopy', file], { allowFailure: true });
      return attempt(() => readFileSync(file, 'latin1')) ?? '';
    },
    close,
    env,
    end,
  };
}

/** It has no screen: what nobody sees is gone. */
export function dtachTerminals(context) {
  const env = { ...process.env, TERM: 'xterm-256color' };
  const socket = (name) => join(context.scratch, `${name}.dtach`);
  const pids = new Map();
  const close = async (name) => {
    const pid = pids.get(name);
    pids.delete(name);
    if (pid) await endProcess(pid);
  };
  const end = async () => {
    for (const name of [...pids.keys()]) await close(name);
  };
  context.tools.push({ end });
  return {
    async open(name, words) {
      const child = ownProcess(
        context,
        spawn('dtach', ['-N', socket(name), '-r', 'none', '-z', ...words], { env, stdio: 'ignore' }),
      );
      pids.set(name, child.pid);
      await until(() => existsSync(socket(name)), 'a socket of dtach');
    },
    attach: (name) => ['dtach', '-a', socket(name), '-r', 'none', '-z'],
    /** What it shows when it is attached: an empty screen. */
    greeting: '\x1b[H\x1b[J',
    close,
    env,
    end,
  };
}

/** Who sits at a terminal on which `words` run; `shown` resolves with how many ms it took until a text was there. */
export function user(context, mode, text, words, env) {
  const script = join(context.root, 'bench/programs/terminal-user.py');
  const child = ownProcess(
    context,
    spawn(python, [script, mode, text, ...words], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  child.stdin.on('error', () => {});
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const line = (what, after = 0) =>
    until(
      () => {
        if (child.exitCode > 0) throw new Error(`at the terminal of ${words.join(' ')}: ${output}`);
        return [...output.matchAll(new RegExp(`^${what} (.*)\n`, 'gm'))][after]?.[1].split(' ').map(Number);
      },
      `${what} at the terminal of ${words.join(' ')}`,
      120_000,
    );
  return {
    shown: async () => (await line('shown'))[0],
    echoes: () => line('echoes'),
    async read(nth) {
      child.stdin.write('\n');
      return (await line('read', nth))[0];
    },
    async close() {
      child.stdin.end();
      await ended;
    },
    pid: child.pid,
  };
}

function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

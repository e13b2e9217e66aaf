/** Programs of test/programs, and what they need. */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { get } from 'node:http';
import { delimiter, join, resolve } from 'node:path';
import { repository } from './paths.ts';
import { execute, type Stead } from './stead.ts';
import { waitFor } from './wait.ts';

const find = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => resolve(folder, name))
    .find(isExecutable);

/** For a test that needs a command (its name, or its path): skipped where it is not there. */
export const needs = (name: string): { readonly skip: string | false } => ({
  skip: find(name) === undefined && `needs ${name}`,
});

/** The system's, if it has one: what a version manager puts into PATH takes its time. */
export const python: string = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** The Python that has the modules of a command that is written in it. */
export const pythonOf = (name: string): string =>
  /^#!\s*(\/\S*python\S*)$/m.exec(readFileSync(find(name)!, 'latin1').slice(0, 200))?.[1] ?? 'python3';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Go program, compiled once for each text of it. */
export async function goServer(): Promise<string> {
  const source = join(repository, 'test/programs/go/main.go');
  const id = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const folder = join(repository, '.build/go');
  const built = join(folder, `server-${id}`);
  if (existsSync(built)) return built;
  mkdirSync(folder, { recursive: true });
  const part = `${built}.${process.pid}`;
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    CGO_ENABLED: '0',
    GOCACHE: join(folder, 'cache'),
    GOTOOLCHAIN: 'local',
  };
  const { code, stderr } = await execute('go', ['build', '-o', part, source], { env, timeoutMs: 150_000 });
  if (code !== 0) throw new Error(`the Go program does not compile: ${stderr}`);
  renameSync(part, built);
  return built;
}

/** Where a program of test/programs lies. */
export const program = (file: string): string => join(repository, 'test/programs', file);

/** The body of one answer, over a connection of its own, which the server ends. */
export function answerOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent: false, timeout: 20_000 }, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 20 s')));
    request.on('error', reject);
  });
}

export const daemonPid = (stead: Stead): number =>
  JSON.parse(readFileSync(join(stead.home, 'daemon.json'), 'utf8')).pid;

/** SIGKILL, and another one is there. */
export async function killDaemon(stead: Stead): Promise<void> {
  const pid = daemonPid(stead);
  process.kill(pid, 'SIGKILL');
  await waitFor('another daemon', () => daemonPid(stead) !== pid);
}

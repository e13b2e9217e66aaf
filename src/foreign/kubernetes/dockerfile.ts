/** A Dockerfile for the image of an app: its directory, on a base by its interpreter, not as root. */
import { baseName } from '../outgoing.ts';
import { commentLines, type Outgoing } from '../written.ts';
import { imageArgv, imageDirectory } from './paths.ts';

/** Official images by interpreter; others begin on Debian and must be completed. */
const bases: Readonly<Record<string, string>> = {
  node: 'node:NODE-slim',
  nodejs: 'node:NODE-slim',
  npm: 'node:NODE-slim',
  npx: 'node:NODE-slim',
  python3: 'python:3-slim',
  python: 'python:3-slim',
  gunicorn: 'python:3-slim',
  uvicorn: 'python:3-slim',
  ruby: 'ruby:3-slim',
  bundle: 'ruby:3-slim',
  php: 'php:8-cli',
  perl: 'perl:5-slim',
  java: 'eclipse-temurin:21-jre',
  deno: 'denoland/deno:latest',
  bun: 'oven/bun:1-slim',
};

/** Images of Node have it; elsewhere a number is as good. */
const userId = 1000;

export function dockerfile(app: Outgoing, nodeMajor: number): string {
  const argv = imageArgv(app);
  const base = baseFor(app);
  const signal = app.spec.stopSignals[0]?.signal ?? 'SIGTERM';
  const lines = [
    ...commentLines([
      `Image of "${app.spec.name}", written by stead export kubernetes. Build it in ${app.spec.cwd}.`,
      '.dockerignore should name node_modules, .git and what is secret.',
      ...(base === null ? [`Nothing is known of ${argv[0]}: install what it needs.`] : []),
    ]),
    `FROM ${(base ?? 'debian:stable-slim').replace('NODE', String(nodeMajor))}`,
    `WORKDIR ${imageDirectory}`,
    `COPY --chown=${userId}:${userId} . .`,
    ...installLines(base),
    `USER ${userId}:${userId}`,
    ...(signal === 'SIGTERM' ? [] : [`STOPSIGNAL ${signal}`]),
    `CMD ${JSON.stringify(argv)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function baseFor({ argv, spec }: Outgoing): string | null {
  const name = baseName(spec.program.interpreter?.path ?? argv[0] ?? '').replace(/(?<=^python3)[.\d]+$/, '');
  return Object.hasOwn(bases, name) ? bases[name]! : null;
}

/** What the program's own package manager installs, if it has the file for that. */
function installLines(base: string | null): string[] {
  if (base?.startsWith('node:'))
    return [
      'RUN if [ -f package-lock.json ]; then npm ci --omit=dev; elif [ -f package.json ]; then npm install --omit=dev; fi',
    ];
  if (base?.startsWith('python:'))
    return ['RUN if [ -f requirements.txt ]; then pip install --no-cache-dir -r requirements.txt; fi'];
  return [];
}

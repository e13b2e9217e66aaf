/** For the tests of readers: files that are not on the disk, and a result that is written, read and settled as `stead apply` would. */
import assert from 'node:assert/strict';
import { isName } from '../config/app-name.ts';
import { readConfig } from '../config/file/read-config.ts';
import { writeConfig } from '../config/file/write-config.ts';
import { settle } from '../config/settle.ts';
import type { ForeignContext } from './context.ts';
import type { Foreign, Stanza } from './model.ts';

/** A context with these files, each by its absolute path. */
export function contextWith(
  file: string,
  files: Readonly<Record<string, string>> = {},
  more: Partial<ForeignContext> = {},
): ForeignContext {
  return {
    file,
    base: file.slice(0, file.lastIndexOf('/')) || '/',
    env: {},
    user: 'me',
    userHome: '/home/me',
    hostName: 'box',
    files: {
      read: (path) => files[path] ?? null,
      list: (directory) =>
        Object.keys(files)
          .filter((path) => path.startsWith(`${directory}/`))
          .map((path) => path.slice(directory.length + 1).split('/')[0]!)
          .filter((name, at, all) => all.indexOf(name) === at)
          .sort(),
    },
    ...more,
  };
}

/** That what was read is a config file without a mistake; the stanzas by name, and all that was said. */
export function checked(foreign: Foreign): {
  readonly apps: Readonly<Record<string, Stanza>>;
  readonly notes: string;
  readonly text: string;
} {
  const text = writeConfig(foreign);
  // With variables put in, as apply does it: nothing may look like one.
  const read = readConfig(text, 'written', { env: {} });
  assert.equal(read.length, foreign.apps.length);
  const inherited = { umask: 0o22, limits: {}, nice: 0, oomScoreAdj: 0 };
  for (const [at, { kind, options }] of read.entries()) {
    settle(options, { kind, inherited });
    assert.ok(isName(options.name!), options.name);
    const { stanza } = foreign.apps[at]!;
    if (Array.isArray(stanza.command)) assert.deepEqual(read[at]!.command, stanza.command);
    const env = Object.entries((stanza.env ?? {}) as object).map(([name, value]) => `${name}=${value}`);
    assert.deepEqual(options.env ?? [], env);
  }
  return {
    apps: Object.fromEntries(foreign.apps.map(({ stanza }) => [stanza.name as string, stanza])),
    notes: [...foreign.notes, ...foreign.apps.flatMap(({ notes }) => notes)].join('\n'),
    text,
  };
}

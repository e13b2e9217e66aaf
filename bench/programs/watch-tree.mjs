/** The library that `stead dev` and `--watch` stand on, alone: watches a directory, says when it is ready, then when all is read, then each change. */
import { defaultRules } from '../../src/watch/rules.ts';
import { startWatch } from '../../src/watch/watcher.ts';

const say = (words) => process.stdout.write(`${words}\n`);
const watch = await startWatch({
  roots: [],
  rules: { ...defaultRules, cwd: process.argv[2] },
  quietMs: 0,
  mostMs: 2000,
  onChange: ({ paths, count }) => say(`changed ${count} ${paths[0]}`),
  onNote: say,
});
say(`watching ${watch.files} files in ${watch.directories} directories`);
await watch.known;
say('read');

/** A watch as a process of its own. Its one argument is JSON: roots and rules; it prints a line of JSON for each thing that it is told. */
import { defaultRules } from '../../src/watch/rules.ts';
import { startWatch } from '../../src/watch/watcher.ts';

const { roots, rules, quietMs } = JSON.parse(process.argv[2]!);
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
const watch = await startWatch({
  roots,
  rules: { ...defaultRules, ...rules },
  quietMs,
  mostMs: 2000,
  onChange: (change) => say({ change }),
  onNote: (note) => say({ note }),
});
await watch.known;
say({ ready: { directories: watch.directories, isPolling: watch.isPolling } });
process.once('SIGTERM', () => {
  watch.close();
  say({ closed: true });
});

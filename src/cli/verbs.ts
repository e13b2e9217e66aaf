/** The commands by name, with their synonyms: all that the dispatcher and the overview need to know without loading any. */

export interface Verb {
  readonly synonyms: readonly string[];
  readonly summary: string;
}

export const verbs = {
  start: { synonyms: [], summary: 'start a script, a command or an app, and keep it running' },
  run: { synonyms: [], summary: 'run a command once in the background, as nohup does' },
  dev: { synonyms: [], summary: 'run a program here, and restart it when its files change' },
  open: { synonyms: ['new'], summary: 'start a program in a terminal of its own, and attach to it' },
  attach: { synonyms: ['a'], summary: 'go to the terminal of a program, and leave it again' },
  send: { synonyms: [], summary: 'type into the terminal of a program, or write to its stdin' },
  capture: { synonyms: [], summary: 'print what the terminal of a program shows' },
  adopt: { synonyms: [], summary: 'take over a program that runs already' },
  list: { synonyms: ['ls', 'ps'], summary: 'show all apps in a table' },
  show: { synonyms: ['describe', 'info', 'inspect'], summary: 'show everything about an app' },
  logs: { synonyms: ['log'], summary: 'show what an app printed' },
  flush: { synonyms: [], summary: 'empty the logs of an app' },
  stop: { synonyms: [], summary: 'stop an app and all that it started' },
  restart: { synonyms: [], summary: 'stop and start an app' },
  reload: { synonyms: [], summary: 'replace the instances of an app one by one, without a gap' },
  scale: { synonyms: [], summary: 'change how many instances of an app there are' },
  rename: { synonyms: [], summary: 'give an app another name, while it runs' },
  delete: { synonyms: ['rm'], summary: 'stop an app and forget it' },
  signal: { synonyms: [], summary: 'send a signal to an app' },
  apply: { synonyms: [], summary: 'bring the apps of a config file to what is said there' },
  up: { synonyms: [], summary: 'bring up a config file and show what its apps print, until Ctrl-C' },
  down: { synonyms: [], summary: 'end all apps of a config file, and forget them' },
  config: { synonyms: [], summary: 'check a config file, or show what comes out of it' },
  dump: { synonyms: [], summary: 'write all apps into one file' },
  resurrect: { synonyms: [], summary: 'bring up the apps of a dump, here or elsewhere' },
  export: { synonyms: [], summary: 'write the apps for systemd, Kubernetes, pm2 and others' },
  set: { synonyms: [], summary: 'change options of an app' },
  unset: { synonyms: [], summary: 'put options of an app back to their defaults' },
  import: { synonyms: [], summary: "make a config file of another tool's files" },
  why: { synonyms: [], summary: 'say why an app is as it is, and what comes next' },
  env: { synonyms: [], summary: 'show the environment of an app' },
  events: { synonyms: [], summary: 'show what happened, and follow it' },
  doctor: { synonyms: [], summary: 'look for what is wrong with this machine or home' },
  reset: { synonyms: [], summary: 'forget the restarts and failures of an app' },
  wait: { synonyms: [], summary: 'wait until an app ends, and end with its exit code' },
  pid: { synonyms: [], summary: 'print the pid of an app' },
  startup: { synonyms: [], summary: 'have everything back after a boot: a unit of systemd' },
  unstartup: { synonyms: [], summary: 'take that unit away; programs run on' },
  handoff: { synonyms: [], summary: 'hand an app over to systemd, without a gap' },
  takeback: { synonyms: [], summary: 'take an app, or a unit, back from systemd' },
  daemon: { synonyms: [], summary: 'the daemon itself: status, stop, restart, run, logs' },
  uninstall: { synonyms: [], summary: 'end everything and leave nothing of stead' },
  completion: { synonyms: [], summary: 'print a completion script for bash, zsh or fish' },
  help: { synonyms: [], summary: 'explain a command or a topic' },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof verbs;

/** The verb that a word means; undefined for none. `status` is `list`, or `show` with a name. */
export function findVerb(word: string, following: readonly string[]): VerbName | undefined {
  if (word === 'status') return following.some((next) => !next.startsWith('-')) ? 'show' : 'list';
  const found = Object.entries(verbs).find(([name, verb]) => name === word || (verb as Verb).synonyms.includes(word));
  return found?.[0] as VerbName | undefined;
}

/** Verbs of the peers that stead has under another name, has no need of, or lacks; `kill` is none on purpose: what people mean by it differs. */
const others: Readonly<Record<string, string>> = {
  cleanlogs: 'stead flush all',
  jlist: 'stead list --json',
  kill: 'stead signal KILL <name> kills an app, stead delete <name> stops and forgets it, stead daemon stop ends the daemon',
  monit:
    'there is no such view yet; stead list shows memory and CPU, stead events -f what happens, stead logs -f what is printed',
  prettylist: 'stead list --json',
  restartall: 'stead restart all',
  save: 'nothing has to be saved: what you ask for is kept when the command returns; stead dump writes it to a file',
  stopall: 'stead stop all',
  update: 'stead daemon restart brings up this version; no app notices',
  version: 'stead --version',
};

/** What to say in place of a word that is no verb, but one of another tool; undefined for other words. */
export const insteadOf = (word: string): string | undefined => (Object.hasOwn(others, word) ? others[word] : undefined);

/** All words that `findVerb` knows. */
export function allVerbWords(): string[] {
  return [...Object.entries(verbs).flatMap(([name, { synonyms }]) => [name, ...synonyms]), 'status'];
}

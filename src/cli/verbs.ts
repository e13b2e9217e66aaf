/** The commands by name, with their synonyms: all that the dispatcher and the overview need to know without loading any. */

export interface Verb {
  readonly synonyms: readonly string[];
  readonly summary: string;
}

export const verbs = {
  start: { synonyms: [], summary: 'start a script, a command or an app, and keep it running' },
  run: { synonyms: [], summary: 'run a command once in the background, as nohup does' },
  adopt: { synonyms: [], summary: 'take over a program that runs already' },
  list: { synonyms: ['ls', 'ps'], summary: 'show all apps in a table' },
  show: { synonyms: ['describe', 'info', 'inspect'], summary: 'show everything about an app' },
  logs: { synonyms: ['log'], summary: 'show what an app printed' },
  flush: { synonyms: [], summary: 'empty the logs of an app' },
  stop: { synonyms: [], summary: 'stop an app and all that it started' },
  restart: { synonyms: [], summary: 'stop and start an app' },
  delete: { synonyms: ['rm'], summary: 'stop an app and forget it' },
  signal: { synonyms: [], summary: 'send a signal to an app' },
  apply: { synonyms: [], summary: 'bring the apps of a config file to what is said there' },
  set: { synonyms: [], summary: 'change options of an app' },
  unset: { synonyms: [], summary: 'put options of an app back to their defaults' },
  why: { synonyms: [], summary: 'say why an app is as it is, and what comes next' },
  env: { synonyms: [], summary: 'show the environment of an app' },
  events: { synonyms: [], summary: 'show what happened, and follow it' },
  doctor: { synonyms: [], summary: 'look for what is wrong with this machine or home' },
  reset: { synonyms: [], summary: 'forget the restarts and failures of an app' },
  wait: { synonyms: [], summary: 'wait until an app ends, and end with its exit code' },
  pid: { synonyms: [], summary: 'print the pid of an app' },
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

/** `kill` is no verb on purpose: what people mean by it differs between tools. */
export const insteadOfKill =
  'stead signal KILL <name> kills an app, stead delete <name> stops and forgets it, stead daemon stop ends the daemon';

/** All words that `findVerb` knows. */
export function allVerbWords(): string[] {
  return [...Object.entries(verbs).flatMap(([name, { synonyms }]) => [name, ...synonyms]), 'status'];
}

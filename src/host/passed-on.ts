/** What concerns one process alone and would mislead a program that inherits it. */
const ownVariables =
  /^(STEAD_(?:RUN_ID|SHARE|PID|INSTANCE|CHANNEL)|NODE_APP_INSTANCE|LISTEN_(PID|FDS|FDNAMES|PIDFDID)|NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|INVOCATION_ID|JOURNAL_STREAM|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|NODE_UNIQUE_ID|NODE_OPTIONS)=/;

/** What of an environment a program is given: all but what was meant for the process that had it alone. */
export const passedOn = (env: readonly string[]): readonly string[] => env.filter((entry) => !ownVariables.test(entry));

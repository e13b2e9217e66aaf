import type { Instance } from './instance.ts';

/** What commands that belong to an app are told of it. */
export function steadVariables(instance: Instance): Record<string, string> {
  const { app, index, model, program, lastExit } = instance;
  return {
    STEAD_HOME: app.daemon.home,
    STEAD_NAME: app.name,
    STEAD_INSTANCE: String(index),
    STEAD_RUN: String(model.run),
    STEAD_PID: program === null ? '' : String(program.pid),
    STEAD_STATE: model.state.name,
    STEAD_REASON: 'reason' in model.state ? model.state.reason : '',
    STEAD_RESTARTS: String(model.restarts),
    STEAD_EXIT_CODE: lastExit?.code == null ? '' : String(lastExit.code),
    STEAD_EXIT_SIGNAL: lastExit?.signal ?? '',
  };
}

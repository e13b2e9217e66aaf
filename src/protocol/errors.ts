/**
 * The catalogue of errors: each has a code (part of the API), the exit code of the command line, and the status of the HTTP answer.
 * An error that a person sees has three parts: what happened (`message`, with quoted values and the reason) and what to do (`hint`).
 */
export const errorCatalogue = {
  USAGE: { exit: 2, status: 400 },
  UNKNOWN_ROUTE: { exit: 1, status: 404 },
  BAD_REQUEST: { exit: 2, status: 400 },
  TOO_LARGE: { exit: 1, status: 413 },
  APP_NOT_FOUND: { exit: 3, status: 404 },
  NOTHING_TO_START: { exit: 3, status: 404 },
  NAME_INVALID: { exit: 5, status: 422 },
  NAME_TAKEN: { exit: 5, status: 409 },
  TARGET_AMBIGUOUS: { exit: 5, status: 409 },
  OPTIONS_DIFFER: { exit: 5, status: 409 },
  OPTION_INVALID: { exit: 2, status: 422 },
  PROGRAM_NOT_FOUND: { exit: 5, status: 422 },
  NOT_EXECUTABLE: { exit: 5, status: 422 },
  INTERPRETER_NOT_FOUND: { exit: 5, status: 422 },
  CWD_MISSING: { exit: 5, status: 422 },
  USER_UNKNOWN: { exit: 5, status: 422 },
  NOT_PERMITTED: { exit: 5, status: 403 },
  ENVIRONMENT_TOO_LARGE: { exit: 5, status: 422 },
  DEPENDENCY_CYCLE: { exit: 5, status: 422 },
  DEPENDENCY_MISSING: { exit: 5, status: 422 },
  DEPENDENCY_FAILED: { exit: 1, status: 409 },
  NOT_READY: { exit: 6, status: 504 },
  CONFIG_INVALID: { exit: 5, status: 422 },
  CONFIG_NOT_FOUND: { exit: 5, status: 404 },
  PORT_TAKEN: { exit: 5, status: 409 },
  LAUNCH_FAILED: { exit: 1, status: 500 },
  KEPT_BY_SYSTEMD: { exit: 5, status: 409 },
  HANDOFF_FAILED: { exit: 1, status: 409 },
  RELOAD_FAILED: { exit: 1, status: 409 },
  RELOAD_UNDER_WAY: { exit: 5, status: 409 },
  NO_RELOAD: { exit: 5, status: 409 },
  EXITED_EARLY: { exit: 1, status: 200 },
  NOT_RUNNING: { exit: 1, status: 409 },
  NO_TERMINAL: { exit: 5, status: 409 },
  NOT_ADOPTABLE: { exit: 5, status: 409 },
  NO_SUCH_PROCESS: { exit: 3, status: 404 },
  SIGNAL_UNKNOWN: { exit: 2, status: 422 },
  STUCK: { exit: 6, status: 200 },
  TIMED_OUT: { exit: 6, status: 504 },
  HOME_UNSAFE: { exit: 5, status: 403 },
  HOME_UNUSABLE: { exit: 5, status: 500 },
  DAEMON_UNREACHABLE: { exit: 4, status: 503 },
  DAEMON_STOPPING: { exit: 4, status: 503 },
  VERSION_SKEW: { exit: 7, status: 409 },
  DISK: { exit: 1, status: 507 },
  UNSUPPORTED: { exit: 5, status: 501 },
  CLIENT_CLOSED: { exit: 1, status: 500 },
  INTERNAL: { exit: 1, status: 500 },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

/** The shape in which an error travels: in HTTP answers and, under `error`, in `--json` output. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** Facts for programs, e.g. `{ matches: ['api', 'api-2'] }`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected failure of a request. What is a bug throws a plain Error instead. */
export class SteadError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { hint, details }: { hint?: string; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.name = 'SteadError';
    this.code = code;
    this.hint = hint;
    this.details = details;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromBody(body: ErrorBody): SteadError {
    return new SteadError(body.code, body.message, {
      ...(body.hint === undefined ? {} : { hint: body.hint }),
      ...(body.details === undefined ? {} : { details: body.details }),
    });
  }
}

/** The exit code of the command line for an error code; 1 for a code of a newer daemon. */
export function exitCodeOf(code: string): number {
  return Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode].exit : 1;
}

/** How a failure is told: what and why, then what to do. */
import { nearest } from '../config/nearest.ts';
import { escapeControls } from '../host/bytes.ts';
import { type ErrorBody, exitCodeOf, SteadError } from '../protocol/errors.ts';
import { printJson, say } from './output.ts';

export interface Told {
  readonly json: boolean;
  readonly exitOf?: ((error: ErrorBody) => number | null) | undefined;
}

/** Prints a failure and returns the exit code; quiet 0 if only the reader of our output has gone. */
export function tellFailure(thrown: unknown, { json, exitOf }: Told): number {
  if (isOutputClosed(thrown)) return 0;
  const error = withNearest((isSteadError(thrown) ? thrown : unexpected(thrown)).toBody());
  const exit = exitOf?.(error) ?? exitCodeOf(error.code);
  try {
    if (json) printJson({ error: bodyOf(error) });
    else sayError(error);
  } catch (second) {
    if (!isOutputClosed(second)) throw second;
  }
  return exit;
}

/** Message and hint, on stderr. */
export function sayError({ message, hint }: { readonly message: string; readonly hint?: string | undefined }): void {
  say(`stead: ${escapeLines(message)}`);
  if (hint !== undefined) say(`Hint: ${escapeLines(hint)}`);
}

const escapeLines = (text: string) => text.split('\n').map(escapeControls).join('\n');

const bodyOf = ({ code, message, hint, details }: ErrorBody) => ({ code, message, hint, details });

/** A name that isn't there gets the nearest that is. */
export function withNearest(error: ErrorBody): ErrorBody {
  const { selector, known, meant } = error.details ?? {};
  if (error.code !== 'APP_NOT_FOUND' || meant !== undefined || typeof selector !== 'string' || !Array.isArray(known))
    return error;
  const near = nearest(selector, known.map(String));
  return near === undefined ? error : { ...error, hint: `did you mean ${near}?` };
}

/** Each chunk has a copy of the class: the name tells, not `instanceof`. */
const isSteadError = (thrown: unknown): thrown is SteadError => (thrown as Error | null)?.name === 'SteadError';
const isOutputClosed = (thrown: unknown): boolean => (thrown as Error | null)?.name === 'OutputClosed';

function unexpected(thrown: unknown): SteadError {
  const { code, message, stack } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return new SteadError('DISK', `Cannot write the output: ${message}`);
  if (process.env.STEAD_DEBUG) say(String(stack));
  return new SteadError('INTERNAL', `Unexpected: ${message ?? String(thrown)}`, {
    hint: 'STEAD_DEBUG=1 shows where; please report it',
  });
}

/** `node start-daemon.cjs HOME`: starts the daemon of a home for a program that uses the API. Says `{}` once it answers, else the error, as JSON. */
import { assertWritable } from '../cli/ownership.ts';
import { ensureDaemon } from '../client/ensure-daemon.ts';
import { SteadError } from '../protocol/errors.ts';

const home = process.argv[2]!;

async function start(): Promise<void> {
  assertWritable(home);
  await ensureDaemon(home);
}

const bodyOf = (error: unknown) =>
  error instanceof SteadError ? error.toBody() : new SteadError('INTERNAL', String(error)).toBody();

start().then(
  () => console.log('{}'),
  (error) => console.log(JSON.stringify({ error: bodyOf(error) })),
);

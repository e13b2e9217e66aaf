import { SteadError } from '../../protocol/errors.ts';

/**
 * Throws if the caller itself runs in this session: its output would be its input. By the environment that stead gives to a session's program: STEAD_SESSION
 * (`<app>:<index>`) and STEAD_RUN_ID (which begins with the home's id). Another session, or one of another home, is as good as any terminal.
 */
export function refuseNesting(session: string, homeId: string, env: NodeJS.ProcessEnv): void {
  if (env.STEAD_SESSION !== session || !env.STEAD_RUN_ID?.startsWith(`${homeId}.`)) return;
  throw new SteadError(
    'NOT_PERMITTED',
    `Cannot attach to "${session}" from within itself: what it shows would be shown to it`,
    {
      hint: 'if this is another terminal after all: unset STEAD_SESSION',
    },
  );
}
